import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLocation } from 'viaduct';
import { fileOrigin, honestReply, replyOf } from '../support/file-origin.js';
import { startGet } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
const CONTENT = Buffer.from('content');

/** A listing of so many files, as a node writes it. */
function listingOf(files: number): Buffer {
  const modified = '2001-02-03T04:05:06.000Z';
  const lines = Array.from({ length: files }, (_, index) =>
    JSON.stringify({
      name: `photo-${String(index).padStart(7, '0')}`,
      type: 'file',
      size: CONTENT.length,
      modified,
    }),
  );
  return replyOf(
    200,
    { 'Content-Type': 'application/json' },
    `{"path":"/","entries":[\n${lines.join(',\n')}\n]}\n`,
  );
}

for (const [files, fetched, limit] of [
  [1_000_000, 1000, 200 * MIB],
  [100_000, 10_000, 140 * MIB],
] as const) {
  test(`get -r of ${files} names: at most ${limit / MIB} MiB after ${fetched} files`, async (t) => {
    const listing = listingOf(files);
    const folder = tempFolder(t);
    const enough = new AbortController();
    let asked = 0;
    const { location } = await fileOrigin(t, (socket, request) => {
      if (request.path === '/') return void socket.end(listing);
      asked += 1;
      if (asked > fetched) enough.abort();
      socket.end(honestReply(CONTENT, request));
    });
    const reached = new Promise((resolve) => enough.signal.addEventListener('abort', resolve));
    const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=180' };
    const child = startGet(
      t,
      folder,
      ['--plain', '-r', formatLocation({ ...location, path: '/' }), '-o', 'tree'],
      {
        env,
      },
    );
    await Promise.race([reached, child.ended]);
    assert.ok(asked > fetched, child.stderr);
    const { peak } = child.memory;
    t.diagnostic(`${Math.round(peak / MIB)} MiB`);
    child.process.kill('SIGINT');
    assert.equal(await child.ended, 130, child.stderr);
    assert.ok(readdirSync(join(folder, 'tree')).length >= fetched - 10);
    assert.ok(peak <= limit, `${peak / MIB} MiB`);
  });
}
