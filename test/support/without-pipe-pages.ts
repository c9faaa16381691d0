// A program: runs flows by the splice pump as an ordinary user whose pages for pipes are used up
// (pipe-user-pages-soft of pipe(7); root has no such limit), and again when there are some. Says how it went.
import { PIPE_BYTES_LARGE, PIPE_BYTES_SMALL } from '#src/pump/splice/pipe-pool.js';
import { offloadingPump } from '#src/pump/socket-pump.js';
import type { Pipe } from '#src/system/calls.js';
import { calls } from './calls.js';
import { spliceOffload } from './offload.js';
import { runTransfers } from './transfers.js';

const NOBODY = 65_534;
const SEED = 1;
const TRANSFERS = 40;

/** Takes pipes until there are none of a useful size. */
function hoard(): Pipe[] {
  const pipes: Pipe[] = [];
  for (const size of [PIPE_BYTES_LARGE, PIPE_BYTES_SMALL]) {
    let got = size;
    while (got >= size) {
      const pipe = calls().pipe();
      pipes.push(pipe);
      got = calls().resizePipe(pipe.writeEnd, size);
    }
  }
  return pipes;
}

const offload = spliceOffload();
if ('missing' in offload) throw new Error(offload.missing);
await offload.started();
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
const pump = offloadingPump(offload, 0);

const hoarded = hoard();
await runTransfers(pump, SEED, TRANSFERS);
const without = { taken: offload.taken, moved: offload.moved };

for (const { readEnd, writeEnd } of hoarded) {
  calls().close(readEnd);
  calls().close(writeEnd);
}
await runTransfers(pump, SEED, TRANSFERS);
const withPages = { taken: offload.taken - without.taken, moved: offload.moved };

await offload.close();
process.stdout.write(
  JSON.stringify({ user: process.getuid?.(), without, withPages, deaths: offload.deaths.map(String) }),
);
