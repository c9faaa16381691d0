import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Child } from '../support/processes.js';
import { sparseFile, tempFolder } from '../support/temp.js';

/** Minutes of hashing, at the least. */
const SIZE = 300 * 2 ** 30;

/**
 * A program with a node in it, which is asked for the digest of a huge file. It closes the node and does
 * nothing more: if it ends, nothing is left that could hold it.
 */
const script = (when: 'worker' | 'serving', graceMs: number): string => `
  import { connect } from 'node:net';
  import { startNode } from ${JSON.stringify(import.meta.resolve('viaduct'))};
  let close;
  const node = await startNode({
    port: 0,
    host: '127.0.0.1',
    onEvent: ({ type }) => { if (type === 'serving' && ${when === 'serving'}) close(); },
  });
  close = () => node.close(${graceMs}).then(() => console.log('closed'));
  if (${when === 'worker'}) process.once('worker', () => setImmediate(close));
  const client = connect(node.address.port, '127.0.0.1');
  client.on('error', ({ code }) => console.log(code));
  client.on('data', (text) => console.log(text.toString()));
  client.write('HEAD /huge HTTP/1.1\\r\\nHost: localhost\\r\\nWant-Repr-Digest: sha-256=1\\r\\n\\r\\n');
`;

for (const [when, what] of [
  ['worker', 'under way'],
  ['serving', 'about to begin'],
] as const) {
  for (const graceMs of [0, 600_000]) {
    test(
      `a node that is closed, with a grace period of ${graceMs} ms, leaves no digest behind that was ${what}`,
      { timeout: 30_000 },
      async (t) => {
        const root = tempFolder(t);
        sparseFile(root, 'huge', SIZE);
        // Not by --eval, which threads would inherit and fail at.
        writeFileSync(join(root, 'program.mjs'), script(when, graceMs));
        const child = new Child(t, process.execPath, ['program.mjs'], { cwd: root });
        const code = await child.ended;
        assert.equal(child.stderr, '');
        assert.equal(code, 0);
        assert.match(child.stdout, /^closed$/m);
        if (graceMs === 0) return;
        // The request was whole, so it is answered, but not with what is not known.
        assert.match(child.stdout, /^HTTP\/1\.1 200 OK\r$/m);
        assert.match(child.stdout, /^Retry-After: 1\r$/m);
        assert.doesNotMatch(child.stdout, /Repr-Digest/);
      },
    );
  }
}
