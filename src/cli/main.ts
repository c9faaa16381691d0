#!/usr/bin/env node
import { CommanderError } from 'commander';
import { asViaductError } from '../errors.js';
import { flushOutput } from './lines.js';
import { printError } from './print.js';
import { buildProgram } from './program.js';

// Whoever reads our lines may leave early (`| head`). That ends no transfer; a sink reports its own failures.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = printError(asViaductError(error));
}
await flushOutput();
process.exit();
