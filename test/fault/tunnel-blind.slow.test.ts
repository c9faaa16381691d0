import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { faultProxy } from '../support/fault-proxy.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { type Link, recordingProxy, runSecure, secureChain } from '../support/tunnels.js';

const FOLDER = 'tax returns';
const NAME = 'Sécret-plan (v7) of Eve.bin';
const NAMES = [NAME, 'password list.txt', 'déjà-vu.jpg'];
const SIZE = 128 * 1024;
/** The shortest piece of the content that counts as seen. */
const PIECE = 16;
const LIMIT = { timeout: 60_000 };

/** A chain with a recorder on each of its links, and its files. */
async function recordedChain(
  t: TestContext,
  before: (first: HostHop) => Promise<HostHop> = async (hop) => hop,
) {
  const { relays, origin, identity, root } = await secureChain(t, 2);
  mkdirSync(join(root, FOLDER));
  for (const name of NAMES) writeFileSync(join(root, FOLDER, name), name);
  const content = randomFile(join(root, FOLDER), NAME, SIZE);
  const links = await Promise.all([...relays, origin].map(({ hop }) => recordingProxy(t, hop)));
  const [first, ...others] = links.map(({ hop }) => hop);
  assert.ok(first);
  const route = [await before(first), ...others];
  const certificate = new X509Certificate(identity.cert).raw;
  return { links, route, content, certificate, pin: ['--pin', identity.pin] };
}

const pathOf = (name: string): string => `/${encodeURIComponent(FOLDER)}/${encodeURIComponent(name)}`;

/** The forms in which a text may stand on a wire, as latin1. */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  // Base64 of a longer text has one of three forms, without what its neighbours change.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : shift + 1, -4),
  );
  const percent = encodeURIComponent(text);
  const json = JSON.stringify(text).slice(1, -1);
  return [bytes.toString('latin1'), percent, percent.toLowerCase(), json, bytes.toString('hex'), ...base64];
}

function hasText(bytes: Buffer, text: string): boolean {
  const seen = bytes.toString('latin1');
  return formsOf(text).some((form) => seen.includes(form));
}

/** Whether the bytes contain any {@link PIECE} bytes in a row of the content. */
function hasPiece(bytes: Buffer, content: Buffer): boolean {
  const [seen, text] = [bytes.toString('latin1'), content.toString('latin1')];
  const pieces = new Set(
    Array.from({ length: text.length - PIECE + 1 }, (_, at) => text.slice(at, at + PIECE)),
  );
  for (let at = 0; at + PIECE <= seen.length; at += 1)
    if (pieces.has(seen.slice(at, at + PIECE))) return true;
  return false;
}

/** What each link shows, in both directions together. */
function seenOn(links: readonly Link[], what: (bytes: Buffer) => boolean): boolean[] {
  return links.map(({ up, down }) => what(up) || what(down));
}

const NOWHERE = [false, false, false];
const EVERYWHERE = [true, true, true];

for (const [how, expected] of [
  ['encrypted', NOWHERE],
  ['--plain', EVERYWHERE],
] as const) {
  const isPlain = how === '--plain';

  test(`get, ${how}: links and relays see the name and the content: ${expected[0]}`, LIMIT, async (t) => {
    const { links, route, content, certificate, pin } = await recordedChain(t);
    const target = join(tempFolder(t), 'file');
    const location = { route, path: pathOf(NAME) };
    const run = await runSecure('get', location, isPlain ? ['--plain'] : pin, ['-o', target]);
    assert.equal(run.code, 0, run.stderr);
    assert.ok(readFileSync(target).equals(content));
    for (const { down } of links) assert.ok(down.length > SIZE, 'the link was used');
    assert.deepEqual(
      seenOn(links, (bytes) => hasPiece(bytes, content)),
      expected,
    );
    for (const text of [NAME, FOLDER])
      assert.deepEqual(
        seenOn(links, (bytes) => hasText(bytes, text)),
        expected,
        text,
      );
    // Nor who the origin is: TLS 1.3 encrypts certificates.
    assert.deepEqual(
      seenOn(links, (bytes) => bytes.includes(certificate.subarray(0, 64))),
      NOWHERE,
    );
  });

  test(`ls, ${how}: links and relays see the names: ${expected[0]}`, LIMIT, async (t) => {
    const { links, route, pin } = await recordedChain(t);
    for (const path of [`${pathOf('').slice(0, -1)}/`, pathOf(NAME)]) {
      const run = await runSecure('ls', { route, path }, isPlain ? ['--plain'] : pin);
      assert.equal(run.code, 0, run.stderr);
      assert.ok(run.stdout.includes(NAME), run.stdout);
    }
    for (const text of [FOLDER, ...NAMES])
      assert.deepEqual(
        seenOn(links, (bytes) => hasText(bytes, text)),
        expected,
        text,
      );
  });

  test(`a resumed get, ${how}: links see the version and the range: ${expected[0]}`, LIMIT, async (t) => {
    const { links, route, content, pin } = await recordedChain(t, async (first) => {
      const faults = await faultProxy(t, first, (connection) =>
        connection === 0 ? { kind: 'reset', at: SIZE / 2 } : { kind: 'split', at: Infinity },
      );
      return faults.hop;
    });
    const target = join(tempFolder(t), 'file');
    const location = { route, path: pathOf(NAME) };
    const args = ['-o', target, '--json', '--retry', '3'];
    const run = await runSecure('get', location, isPlain ? ['--plain'] : pin, args);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /"event":"retry"/);
    assert.ok(readFileSync(target).equals(content));
    const [, etag] = /"etag":"\\"([^"\\]+)\\""/.exec(run.stdout) ?? [];
    assert.ok(etag !== undefined, run.stdout);
    for (const text of [etag, 'If-Range', 'bytes=', 'Viaduct-Version', 'Want-Repr-Digest'])
      assert.deepEqual(
        seenOn(links, (bytes) => bytes.includes(text)),
        expected,
        text,
      );
  });
}
