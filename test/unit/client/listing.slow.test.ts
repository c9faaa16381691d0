import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Entry, type HostHop, formatHop, listFolder, listLocation, parseLocation } from 'viaduct';
import { encodeSegment } from '#src/route/url.js';
import { failureOf } from '../../support/failures.js';
import { httpHop } from '../../support/http-hop.js';
import { urlOf } from '../../support/http.js';
import { watchDescriptors } from '../../support/leaks.js';
import { testChain, testNode } from '../../support/nodes.js';
import { CONTROL_NAMES, ODD_NAMES, writeNames } from '../../support/odd-names.js';
import { tempFolder } from '../../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { type Wire, WIRES } from '../../support/wires.js';

const SIZE = 64 * 1024;
const TIME = new Date('2001-02-03T04:05:06Z');

const FILE: Entry = { kind: 'file', name: 'file.txt', size: SIZE, modified: TIME };
const FOLDER: Entry = { kind: 'folder', name: 'sub dir', modified: TIME };

/** A chain whose origin serves a folder `dir` with a file and a folder. */
async function prepare(t: TestContext, wire: Wire) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'dir', 'sub dir'), { recursive: true });
  writeFileSync(join(root, 'dir', 'file.txt'), 'x'.repeat(SIZE));
  for (const path of ['dir/file.txt', 'dir/sub dir']) utimesSync(join(root, path), TIME, TIME);
  const { nodes, route } = await testChain(t, 3, { root });
  const list = (path: string): Promise<readonly Entry[]> =>
    listLocation(parseLocation(urlOf(route, path)), wire.options);
  return { list, route, origin: nodes[2] };
}

async function hopThat(t: TestContext, wire: Wire, head: string, body: string): Promise<HostHop> {
  const length = Buffer.byteLength(body);
  const text = `HTTP/1.1 ${head}Viaduct: 1\r\nContent-Length: ${length}\r\n\r\n${body}`;
  return (await httpHop(t, (socket) => socket.end(text), wire)).hop;
}

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a folder, with and without the slash at its end', async (t) => {
      const { list } = await prepare(t, wire);
      const nothingOpen = watchDescriptors();
      for (const path of ['/dir/', '/dir']) assert.deepEqual(await list(path), [FOLDER, FILE]);
      assert.deepEqual(await list('/dir/sub dir'), []);
      assert.deepEqual(
        (await list('')).map(({ name }) => name),
        ['dir'],
      );
      await nothingOpen();
    });

    test('a file is its own listing, and not fetched', async (t) => {
      const { list, origin } = await prepare(t, wire);
      assert.deepEqual(await list('/dir/file.txt'), [FILE]);
      const { bytes = SIZE } = (await origin?.event('completed')) ?? {};
      assert.ok(bytes < SIZE, 'a head alone was sent');
    });

    test('what is not there is told by the hop that has not got it', async (t) => {
      const { list, route } = await prepare(t, wire);
      const label = `hop 3 (${route.map(formatHop).at(-1)})`;
      for (const [path, code, message] of [
        ['/absent', 'NOT_FOUND', 'there is no file "absent"'],
        ['/absent/', 'NOT_FOUND', 'there is no folder "absent/"'],
        ['/dir/file.txt/', 'NOT_FOUND', 'there is no folder "dir/file.txt/"'],
        ['/.hidden', 'FORBIDDEN', '".hidden" has a leading dot (--dotfiles serves such names)'],
      ] as const) {
        const error = await failureOf(list(path));
        assert.deepEqual([error.code, outcomeOf(error).exit], [code, 22], path);
        assert.equal(error.message, `${label}: ${message}`);
      }
    });

    test('any name that a node has comes as it is, and leads to its file', async (t) => {
      const root = tempFolder(t);
      const names = [...ODD_NAMES, ...CONTROL_NAMES];
      writeNames(root, names);
      const { hop } = await testNode(t, { root });
      const entries = await listFolder({ route: [hop], path: '/' }, wire.options);
      assert.deepEqual(new Set(entries.map(({ name }) => name)), new Set(names));
      for (const entry of entries) {
        const path = `/${encodeSegment(entry.name)}`;
        const [found, ...others] = await listLocation({ route: [hop], path }, wire.options);
        assert.deepEqual(others, []);
        // Last-Modified has whole seconds.
        const modified = new Date(Math.floor(entry.modified.getTime() / 1000) * 1000);
        assert.deepEqual(found, { ...entry, modified });
      }
    });

    describe('an origin that answers something else', () => {
      const JSON_HEAD = '200 OK\r\nContent-Type: application/json\r\n';
      const evil = `{"path":"/","entries":[\n{"name":"../x","type":"folder","modified":"${TIME.toISOString()}"}\n]}\n`;
      for (const [what, path, head, body, why] of [
        ['a hostile name', '/', JSON_HEAD, evil, 'sent a malformed listing: "../x" is not a name'],
        ['no listing', '/', JSON_HEAD, '{}', 'sent a malformed listing: it does not end as one'],
        ['a page', '/', '200 OK\r\nContent-Type: text/html\r\n', '<p>', 'sent no listing'],
        ['no type', '/', '200 OK\r\n', evil, 'sent no listing'],
        ['a part', '/', JSON_HEAD.replace('200', '206'), evil, 'sent no listing'],
        ['that it was moved', '/', '301 Moved\r\nLocation: /x/\r\n', '', 'sent no listing'],
        ['a file without a time', '/f', '200 OK\r\n', '', 'does not tell the time of the file'],
        ['that nothing changed', '/f', '304 Not Modified\r\n', '', 'answered with status 304'],
      ] as const) {
        test(what, async (t) => {
          const hop = await hopThat(t, wire, head, body);
          const error = await failureOf(
            listLocation({ route: [hop], path }, { ...wire.options, timeoutMs: 5000 }),
          );
          assert.deepEqual([error.code, outcomeOf(error).exit, error.hopNumber], ['BAD_REPLY', 56, 1]);
          assert.equal(error.message, `hop 1 (${formatHop(hop)}) ${why}`);
        });
      }

      test('a listing that breaks off is no listing', async (t) => {
        const text = `HTTP/1.1 ${JSON_HEAD}Viaduct: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"pat\r\n`;
        const { hop } = await httpHop(t, (socket) => socket.end(text), wire);
        const error = await failureOf(listLocation({ route: [hop], path: '/' }, wire.options));
        assert.deepEqual([error.code, outcomeOf(error).exit], ['CUT_SHORT', 18]);
      });

      test('a redirect leads nowhere but to the folder of that name', async (t) => {
        const { hop, requests } = await httpHop(
          t,
          (socket) => socket.end('HTTP/1.1 301 Moved\r\nViaduct: 1\r\nLocation: http://elsewhere/\r\n\r\n'),
          wire,
        );
        await failureOf(listLocation({ route: [hop], path: '/dir' }, wire.options));
        assert.deepEqual(
          requests.map((head) => head.split('\r\n', 1)[0]),
          ['HEAD /dir HTTP/1.1', 'GET /dir/ HTTP/1.1'],
        );
      });
    });
  });
