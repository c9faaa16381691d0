// For `node --import`: the process behaves as if the optional package koffi was not installed.
import { Module } from 'node:module';

const original = Object.getOwnPropertyDescriptor(Module.prototype, 'require')?.value as (
  id: string,
) => unknown;

Module.prototype.require = function require(this: Module, id: string): unknown {
  if (id === 'koffi') throw new Error("Cannot find module 'koffi'");
  return original.call(this, id);
};
