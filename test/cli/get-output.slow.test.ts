import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Route, formatHop, formatInput, formatLocation } from 'viaduct';
import { fileOrigin, honestReply } from '../support/file-origin.js';
import { testChain } from '../support/nodes.js';
import { eventsOf, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { PINNED } from '../support/identity.js';
import { WIRES } from '../support/wires.js';

/** Three nodes with a file of 1 MiB, and a folder to save it in. */
async function served(t: TestContext) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'a file', 1024 * 1024);
  const { route } = await testChain(t, 3, { root });
  return { root, bytes, route, url: formatLocation({ route, path: '/a%20file' }), folder: tempFolder(t) };
}

/** Replaces figures that differ between runs. */
function masked(text: string): string {
  return text
    .replaceAll(/\d+(\.\d+)? s\b/g, 'TIME')
    .replaceAll(/\d+(\.\d+)? [KMG]?i?B\/s/g, 'RATE')
    .replaceAll(/"[0-9a-z-]{20,}"/g, 'ETAG')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'SHA256')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'TRACE');
}

const withoutScheme = (url: string): string => url.replace('http://', '');
const hops = (route: Route): string => route.map(formatHop).join(',');

describe('what get prints', () => {
  test('is one line; with -v one per step, with -q nothing', async (t) => {
    const { url, folder, bytes } = await served(t);
    const plain = await runViaduct(t, ['get', url, '--plain'], { cwd: folder });
    assert.deepEqual(
      [plain.code, masked(plain.stdout), plain.stderr],
      [0, 'a file  1.00 MiB  TIME  RATE  verified\n', ''],
    );
    assert.deepEqual(readdirSync(folder), ['a file']);
    assert.equal(sha256(readFileSync(join(folder, 'a file'))), sha256(bytes));

    const quiet = await runInProcess(['get', ...PINNED, '-q', url, '-o', 'b'], { cwd: folder });
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
    const verbose = await runViaduct(t, ['get', ...PINNED, '-v', url, '-o', 'b'], { cwd: folder });
    const steps = [
      'trace TRACE',
      'connecting',
      '1.00 MiB, ETag ETAG',
      'downloading',
      'verifying',
      'SHA-256 SHA256',
    ];
    assert.equal(masked(verbose.stderr), steps.map((step) => `viaduct: ${step}\n`).join(''));
    const unverified = await runInProcess(['get', ...PINNED, '--no-verify', url, '-o', 'b'], { cwd: folder });
    assert.equal(masked(unverified.stdout), 'b  1.00 MiB  TIME  RATE  not verified\n');
  });

  test('goes to standard error if the file goes to standard output', async (t) => {
    const { root, url } = await served(t);
    writeFileSync(join(root, 'a file'), 'text');
    const { code, stdout, stderr } = await runViaduct(t, ['get', ...PINNED, url, '-o', '-']);
    assert.deepEqual([code, stdout, masked(stderr)], [0, 'text', 'a file  4 B  TIME  RATE  verified\n']);
  });

  test('with --json is one line per event, and nothing else', async (t) => {
    const { url, route, folder, bytes } = await served(t);
    const address = route.map(formatHop).at(-1);
    const run = await runViaduct(t, ['get', ...PINNED, url, '--json'], { cwd: folder });
    assert.deepEqual([run.code, run.stderr], [0, '']);
    const events = eventsOf(run).filter(({ event }) => event !== 'progress');
    const file = 'a file';
    const [trace, , reply] = events;
    assert.match(String(trace?.['traceId']), /^[0-9a-f]{32}$/);
    assert.match(String(reply?.['etag']), /^"\S+"$/);
    const { seconds, ...complete } = events.at(-1) ?? { event: '', seconds: undefined };
    assert.equal(typeof seconds, 'number');
    assert.deepEqual(
      [...events.slice(0, -1), complete],
      [
        { event: 'trace', file, traceId: trace?.['traceId'] },
        { event: 'phase', file, phase: 'connecting' },
        { event: 'reply', file, size: bytes.length, offset: 0, etag: reply?.['etag'] },
        { event: 'phase', file, phase: 'downloading' },
        { event: 'phase', file, phase: 'verifying' },
        { event: 'complete', file, size: bytes.length, received: bytes.length, sha256: sha256(bytes) },
      ],
    );
    const failed = await runInProcess(['get', ...PINNED, `${url}x`, '--json'], { cwd: folder });
    assert.deepEqual([failed.code, failed.stderr], [22, '']);
    assert.deepEqual(eventsOf(failed).at(-1), {
      event: 'error',
      file: 'a filex',
      code: 'NOT_FOUND',
      hopNumber: 3,
      hopAddress: address,
      message: `hop 3 (${address}): there is no file "a filex"`,
      exit: 22,
    });
    const mistyped = await runInProcess(['get', ...PINNED, 'h1:1/a', 'h1', '--json'], { cwd: folder });
    assert.deepEqual([mistyped.code, mistyped.stderr], [2, '']);
    const reason = '"h1": "h1" has no port; write host:port';
    assert.deepEqual(eventsOf(mistyped), [{ event: 'error', code: 'BAD_ROUTE', message: reason, exit: 2 }]);
  });

  test('with --json and -o - goes to standard error, since the file goes to standard output', async (t) => {
    const { root, url } = await served(t);
    writeFileSync(join(root, 'a file'), 'text');
    const run = await runViaduct(t, ['get', ...PINNED, url, '--json', '-o', '-']);
    assert.deepEqual([run.code, run.stdout], [0, 'text']);
    assert.equal(eventsOf({ stdout: run.stderr }).at(-1)?.event, 'complete');
    const refused = await runInProcess(['get', ...PINNED, 'h1:1/a', '-r', '--json', '-o', '-']);
    assert.equal(refused.stdout, '');
    assert.equal(eventsOf({ stdout: refused.stderr }).at(-1)?.['code'], 'USAGE');
  });

  for (const wire of WIRES)
    test(`includes retries and restarts (${wire.name})`, async (t) => {
      const bytes = Buffer.alloc(100_000, 'x');
      const origin = await fileOrigin(
        t,
        (socket, asked, index) => {
          const reply = honestReply(bytes, asked, index === 2 ? '"v2"' : '"v1"');
          if (asked.method === 'HEAD' || index > 2) return void socket.end(reply);
          socket.write(reply.subarray(0, 40_000), () => setImmediate(() => socket.end()));
        },
        wire,
      );
      const folder = tempFolder(t);
      const url = formatLocation(origin.location);
      const run = await runInProcess(['get', ...wire.args, url], { cwd: folder });
      const [hop] = origin.location.route;
      assert.ok(hop);
      const broke = (count: string): string =>
        `viaduct: hop 1 (${formatHop(hop)}) closed the connection after ${count} bytes: the chain broke there or beyond; retrying in TIME`;
      const numbers = masked(run.stderr).replaceAll(/after \d+ of \d+ bytes/g, 'after N bytes');
      const lines = [
        broke('N'),
        broke('N'),
        'viaduct: starting over: the file has changed',
        // To start over is no progress.
        `${broke('N')}, giving up after 5:00`,
        'viaduct: starting over: the file has changed',
      ];
      assert.equal(numbers, `${lines.join('\n')}\n`);
      assert.equal(run.code, 0);
    });
});

test('the forms of where: with a scheme, without, with -J, with --route', async (t) => {
  const { url, route, folder, bytes } = await served(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'a file', route }));
  const last = hops(route.slice(-1));
  for (const args of [
    [url],
    [withoutScheme(url)],
    ['-J', hops(route.slice(0, -1)), `${last}/a file`],
    ['--route', 'input.txt'],
  ]) {
    const run = await runInProcess(['get', ...PINNED, ...args, '-o', 'out'], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.ok(readFileSync(join(folder, 'out')).equals(bytes));
  }
});

test('invalid arguments: one line, exit code 2', async (t) => {
  const folder = tempFolder(t);
  for (const [args, line] of [
    [[], /no location given: expected host:port\/path, or --route FILE/],
    [['h1'], /"h1" has no port/],
    [['h1:1/'], /"\/" is a folder; name a file, or use -r to fetch the folder/],
    [['h1:1/a/'], /"\/a\/" is a folder/],
    [['h1:1/x?y/z'], /a "\?" of a name is written %3F/],
    [['h1:1/x', '--retry', '-1'], /Expected a whole number from 0/],
    [['h1:1/x', '-q', '-v'], /'-q, --quiet' cannot be used with option '-v, --verbose'/],
    [['h1:1/x', '--limit-rate', '0'], /Expected bytes per second, more than 0, such as 500K or 10M/],
    [['h1:1/x', '--limit-rate', 'fast'], /Expected bytes per second/],
    [['h1:1/x', '--max-time', '0'], /Expected seconds, more than 0/],
    [['h1:1/x', '-J', 'h2'], /"h2" has no port/],
  ] as const) {
    const run = await runInProcess(['get', ...PINNED, ...args], { cwd: folder });
    assert.match(run.stderr, /^viaduct: [^\n]+\n$/);
    assert.match(run.stderr, line);
    assert.equal(run.code, 2);
  }
  assert.deepEqual(readdirSync(folder), []);
});
