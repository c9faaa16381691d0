import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { httpChain, startPeer } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

const CLIENTS = [
  ['nc', 'nc -N 127.0.0.1'],
  ['socat', 'socat -t 30 - TCP:127.0.0.1:'],
] as const;

const REQUESTS = [
  ['HTTP/1.0 without Host', 'GET %s HTTP/1.0\\r\\n\\r\\n'],
  ['HTTP/1.1', 'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'],
  [
    'HTTP/1.1 with Connection: close',
    'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n',
  ],
] as const;

for (const [program, command] of CLIENTS) {
  test(`${program}, which sends FIN after the request`, async (t) => {
    if (!havePeer(t, program)) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, 'file', 5 * MIB);
    const chain = await httpChain(t, root);
    const { pathname } = new URL(chain.url('/file'));
    for (const [what, path] of [
      ['over 3 relays', pathname],
      ['at the origin', '/file'],
    ] as const) {
      for (const [label, format] of REQUESTS) {
        await t.test(`${label}, ${what}`, async (part) => {
          const folder = tempFolder(part);
          const to = `${command}${program === 'nc' ? ' ' : ''}${chain.first.hop.port}`;
          const shell = startPeer(part, folder, 'sh', ['-c', `printf '${format}' '${path}' | ${to} > reply`]);
          assert.equal(await shell.ended, 0, shell.stderr);
          const reply = readFileSync(join(folder, 'reply'));
          const end = reply.indexOf('\r\n\r\n') + 4;
          assert.match(reply.subarray(0, end).toString(), /^HTTP\/1\.1 200 OK\r\n/);
          assert.equal(sha256(reply.subarray(end)), sha256(bytes));
        });
      }
    }
  });
}
