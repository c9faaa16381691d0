// For `node --import`: the process behaves as if the optional package koffi was not installed; with `?broken`, as if
// its library was for another system.
import { Module } from 'node:module';

const original = Object.getOwnPropertyDescriptor(Module.prototype, 'require')?.value as (
  id: string,
) => unknown;

Module.prototype.require = function require(this: Module, id: string): unknown {
  if (id === 'koffi') throw failure();
  return original.call(this, id);
};

function failure(): Error {
  if (import.meta.url.endsWith('?broken')) return new Error('GLIBC_2.99 not found\nand more');
  return Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
}
