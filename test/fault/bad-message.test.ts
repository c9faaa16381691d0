import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode } from 'viaduct';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

const CASES: readonly {
  readonly what: string;
  readonly bytes: Buffer;
  readonly fin?: boolean;
  readonly code: ErrorCode;
}[] = [
  { what: '5,000 bytes', bytes: Buffer.alloc(5000, 'x'), code: 'MESSAGE_TOO_LONG' },
  { what: '4,097 bytes', bytes: Buffer.alloc(4097, 'x'), code: 'MESSAGE_TOO_LONG' },
  { what: 'nothing and FIN', bytes: Buffer.alloc(0), fin: true, code: 'BAD_MESSAGE' },
  { what: 'an empty line', bytes: Buffer.from('\n'), code: 'BAD_MESSAGE' },
  { what: 'only blank lines', bytes: Buffer.from('\r\n\r\n\n'), code: 'BAD_MESSAGE' },
  { what: 'bytes that are no text', bytes: Buffer.from([0x80, 3, 1, 0, 0xff, 0, 0xfe]), code: 'BAD_MESSAGE' },
  {
    what: 'the beginning of a TLS record and FIN',
    bytes: Buffer.from([0x16, 3, 1, 0, 0xff, 0, 0xfe]),
    fin: true,
    code: 'CLIENT_GONE',
  },
  { what: 'invalid UTF-8', bytes: Buffer.from([0x61, 0xc3, 0x28, 0x0a, 0x0a]), code: 'BAD_MESSAGE' },
  { what: 'cut UTF-8 and FIN', bytes: Buffer.from([0x61, 0xe2, 0x82]), fin: true, code: 'BAD_MESSAGE' },
  { what: 'a NUL in the name', bytes: Buffer.from('a\0b\n\n'), code: 'BAD_MESSAGE' },
  { what: 'a hop without a port', bytes: Buffer.from('a\nlocalhost\n\n'), code: 'BAD_MESSAGE' },
  { what: 'port 0', bytes: Buffer.from('a\nlocalhost 0\n\n'), code: 'BAD_MESSAGE' },
  { what: 'port 65536', bytes: Buffer.from('a\nlocalhost 65536\n\n'), code: 'BAD_MESSAGE' },
  { what: 'a number for a host', bytes: Buffer.from('a\n2130706433 12000\n\n'), code: 'BAD_MESSAGE' },
];

for (const { what, bytes, fin, code } of CASES) {
  test(`${what} for a message: reset, a log line, and the node serves on`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 1000);
    const node = await testNode(t, { root });
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, node.hop);
    const ending = readToEnd(client);
    if (fin) client.end(bytes);
    else client.write(bytes);
    assert.deepEqual(await ending, { bytes: Buffer.alloc(0), how: 'reset' });
    const failed = await node.event('failed', 0);
    assert.equal(failed.error.code, code);
    assert.equal(failed.bytes, 0);
    assert.deepEqual(await fetchBytes('file', [node.hop]), file);
    await nothingOpen();
  });
}

test('the client sends no message of 5,000 bytes: it dials nobody', async (t) => {
  const { hop, server } = await rawServer(t, () => {});
  server.on('connection', () => assert.fail('it dialled'));
  const failure = await fetchFailure('x'.repeat(5000), [hop]);
  assert.equal(failure.code, 'MESSAGE_TOO_LONG');
  assert.equal(outcomeOf(failure).exit, 2);
});
