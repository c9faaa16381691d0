#!/usr/bin/env node
import { VERSION } from '../version.js';

// Without a listener, Node opens its debugger at SIGUSR1, and SIGUSR2 ends the process.
process.on('SIGUSR1', () => {});
process.on('SIGUSR2', () => {});

// The reader of the output may close it early (`| head`). That does not end a transfer, and failed writes of a
// file's bytes are reported where they are written.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Scripts call it often, so it does not load the commands.
  process.stdout.write(`${VERSION}\n`);
} else {
  const { runProgram, endProcess } = await import('#program');
  await runProgram(args);
  await endProcess();
}
