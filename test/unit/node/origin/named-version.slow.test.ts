import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { testNode } from '../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { type StrictReply, ask, headOf } from '../../../support/wire-replies.js';

const digestOf = (content: Buffer): string =>
  `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;

test('a version that a client names is answered to it alone, and its digest pushes out no other', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const { hop } = await testNode(t, { root });
  const want = 'Want-Repr-Digest: sha-256=1';
  // Larger than what is hashed before a reply, so that a GET shows whether its digest is known.
  const large = randomFile(root, 'large', 300_000);
  const got = (request: string, fields: readonly string[] = []): Promise<StrictReply> =>
    ask(t, hop, headOf(`${request} HTTP/1.1`, ['Host: localhost', 'Connection: close', ...fields]));
  assert.equal((await got('HEAD /large', [want])).fields['repr-digest'], digestOf(large));
  const { fields: plain } = await got('GET /file');
  assert.equal(plain['vary'], 'Viaduct-Version');
  const [inode = ''] = plain['etag']?.slice(1).split('-') ?? [];
  for (let count = 0; count < 1001; count += 1) {
    const version = `"${inode}-1-${count.toString(36)}-0"`;
    const { fields } = await got('HEAD /file', [want, `Viaduct-Version: ${version}`]);
    assert.deepEqual([fields['etag'], fields['vary']], [version, 'Viaduct-Version']);
    assert.equal(fields['repr-digest'], digestOf(bytes.subarray(0, 1)));
  }
  assert.equal((await got('GET /large', [want])).fields['repr-digest'], digestOf(large));
});
