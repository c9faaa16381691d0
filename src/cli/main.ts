#!/usr/bin/env node
import { VERSION } from '../version.js';

// Whoever reads our lines may leave early (`| head`). That ends no transfer; a sink reports its own failures.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const [first, ...more] = process.argv.slice(2);
if ((first === '--version' || first === '-V') && more.length === 0) {
  // Scripts ask for it often: they do not wait until all commands are loaded.
  process.stdout.write(`${VERSION}\n`);
} else {
  const { runProgram } = await import('#program');
  await runProgram();
  process.exit();
}
