import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseReply, urlOf } from '../support/http.js';
import { type HttpChain, httpChain, runPeer } from '../support/http-chain.js';
import { ODD_NAMES, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

/** Runs curl; it has to succeed. Returns what it wrote to standard output. */
async function curl(t: TestContext, folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runPeer(t, folder, 'curl', ['-sS', ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

test('curl through 3 relays', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file.bin', 5 * MIB);
  const chain = await httpChain(t, root);

  for (const [label, options] of [
    ['-O', []],
    ['-O with HTTP/1.0', ['-0']],
    ['-O with a request for compression', ['--compressed']],
  ] as const) {
    await t.test(label, async (part) => {
      const folder = tempFolder(part);
      await curl(part, folder, '-O', ...options, chain.url('/file.bin'));
      assert.equal(sha256(readFileSync(join(folder, 'file.bin'))), sha256(bytes));
    });
  }

  for (const [label, options] of [
    ['hops in brackets', ['--ipv6']],
    ['hops in brackets, without globbing', ['--ipv6', '-g']],
  ] as const) {
    await t.test(label, async (part) => {
      const folder = tempFolder(part);
      const hops = chain.nodes.map(({ hop }) => ({ host: '::1', port: hop.port }));
      await curl(part, folder, '-O', ...options, urlOf(hops, '/file.bin'));
      assert.equal(sha256(readFileSync(join(folder, 'file.bin'))), sha256(bytes));
    });
  }

  for (const [range, expected, contentRange] of [
    ['100-199', bytes.subarray(100, 200), `bytes 100-199/${bytes.length}`],
    ['-100', bytes.subarray(-100), `bytes ${bytes.length - 100}-${bytes.length - 1}/${bytes.length}`],
    [
      `${bytes.length - 1}-`,
      bytes.subarray(-1),
      `bytes ${bytes.length - 1}-${bytes.length - 1}/${bytes.length}`,
    ],
  ] as const) {
    await t.test(`-r ${range}`, async (part) => {
      const folder = tempFolder(part);
      const head = parseReply(
        Buffer.from(await curl(part, folder, '-r', range, '-D', '-', '-o', 'part', chain.url('/file.bin'))),
      );
      assert.deepEqual([head.status, head.fields.get('content-range')], [206, contentRange]);
      assert.deepEqual(readFileSync(join(folder, 'part')), expected);
    });
  }

  await t.test('-I', async (part) => {
    const { status, fields } = parseReply(
      Buffer.from(await curl(part, tempFolder(part), '-I', chain.url('/file.bin'))),
    );
    assert.equal(status, 200);
    assert.equal(fields.get('content-length'), String(bytes.length));
    assert.equal(fields.get('accept-ranges'), 'bytes');
    assert.equal(fields.get('via'), '1.1 viaduct, 1.1 viaduct, 1.1 viaduct');
    assert.match(fields.get('etag') ?? '', /^"[^"]+"$/);
  });

  await t.test('--etag-compare and -z: what is here already is not sent again', async (part) => {
    const folder = tempFolder(part);
    const url = chain.url('/file.bin');
    const code = ['-w', '%{http_code} %{size_download}'];
    await curl(part, folder, '-R', '-O', '--etag-save', 'etag', url);
    assert.equal(await curl(part, folder, '--etag-compare', 'etag', '-o', 'again', ...code, url), '304 0');
    assert.equal(await curl(part, folder, '-z', 'file.bin', '-o', 'again', ...code, url), '304 0');
    assert.deepEqual(readdirSync(folder).toSorted(), ['etag', 'file.bin']);
  });
});

test('curl --path-as-is: dot segments lead nowhere', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const parent = tempFolder(t);
  const root = join(parent, 'root');
  mkdirSync(join(root, 'dir'), { recursive: true });
  randomFile(parent, 'outside', 10);
  writeNames(root, ['inside']);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  const status = (path: string): Promise<string> =>
    curl(t, folder, '--path-as-is', '-o', 'body', '-w', '%{http_code}', chain.url(path));
  assert.equal(await status('/inside'), '200');
  for (const path of ['/./inside', '/%2e/inside', '/.', '/dir/./'])
    assert.equal(await status(path), '200', path);
  for (const path of ['/../inside', '/.%2E/outside', '/..']) {
    assert.equal(await status(path), '400', path);
  }
  for (const path of ['/dir/../../outside', '/dir/../inside', '/dir/%2e%2e/%2e%2e/outside', '/dir/..']) {
    assert.equal(await status(path), '403', path);
  }
  for (const path of ['/dir/..%2f..%2foutside', '/..%2foutside'])
    assert.equal(await status(path), '400', path);
});

test('curl in a folder of odd names over 3 relays', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  writeNames(join(root, 'a folder'), ODD_NAMES);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  const url = chain.url('/a%20folder/');

  await t.test('every file', async (part) => {
    const args = ODD_NAMES.flatMap((name, index) => ['-o', String(index), url + encodeURIComponent(name)]);
    await curl(part, folder, '-f', '-g', ...args);
    for (const [index, name] of ODD_NAMES.entries()) {
      assert.equal(readFileSync(join(folder, String(index)), 'utf8'), `this is ${JSON.stringify(name)}\n`);
    }
  });

  await t.test('its listing, whole for HTTP/1.0 too', async (part) => {
    const page = await curl(part, folder, url);
    assert.equal(page.match(/<a href="\.\//g)?.length, ODD_NAMES.length);
    assert.match(page, /<\/html>\n$/);
    assert.equal(await curl(part, folder, '-0', url), page);
    assert.equal(
      await curl(part, folder, '-L', chain.url('/a%20folder')),
      page,
      'redirected without its slash',
    );
  });

  await t.test('its listing as JSON', async (part) => {
    const listing = JSON.parse(await curl(part, folder, '-H', 'Accept: application/json', url)) as {
      readonly path: string;
      readonly entries: readonly { readonly name: string }[];
    };
    assert.equal(listing.path, '/a folder/');
    assert.deepEqual(new Set(listing.entries.map(({ name }) => name)), new Set(ODD_NAMES));
  });
});

/** The original's lines for some requests, one after the other. */
function linesOf(role: 'server' | 'proxy', threads: number): readonly string[] {
  return [
    'the server is ready',
    ...Array.from({ length: threads }, (_, thread) => [
      `creating new thread ${thread}`,
      `Working as a ${role} in thread ${thread}`,
      `file sending in thread ${thread} completed`,
    ]).flat(),
  ];
}

async function told({ nodes }: HttpChain, expected: readonly (readonly string[])[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const wanted = expected[index] ?? [];
    await node.until(() => node.lines.length >= wanted.length);
    // A client may ask again before the node has told that the last request is done.
    assert.deepEqual(node.lines.toSorted(), wanted.toSorted(), `node ${index + 1}`);
  }
}

test("the original's lines appear once per HTTP request", async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  randomFile(root, 'file', 100_000);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  for (let request = 0; request < 3; request += 1) await curl(t, folder, '-O', chain.url('/file'));
  const [server, proxy] = [linesOf('server', 3), linesOf('proxy', 3)];
  await told(chain, [proxy, proxy, proxy, server]);
});

test('one connection for several URLs of a node, also with hops', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 100_000);
  const chain = await httpChain(t, root, 1);
  const own = urlOf([chain.first.hop], '/file');
  const connects = async (...urls: readonly string[]): Promise<string> => {
    const folder = tempFolder(t);
    const outputs = urls.flatMap((url, index) => ['-o', String(index), url]);
    const text = await curl(t, folder, '-w', '%{num_connects}', ...outputs);
    for (const index of urls.keys()) assert.deepEqual(readFileSync(join(folder, String(index))), bytes);
    return text;
  };
  assert.equal(await connects(own, own, own, own), '1000');
  await told(chain, [linesOf('server', 4), linesOf('server', 0)]);
  assert.equal(await connects(own, own, chain.url('/file'), own, own), '10000');
  await chain.first.until(({ lines }) => lines.length === 1 + 9 * 3);
  assert.equal(chain.first.lines.filter((line) => line.includes('as a proxy')).length, 1);
  assert.equal(chain.first.lines.filter((line) => line.includes('as a server')).length, 8);
});
