import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type HttpChain, httpChain, runPeer } from '../support/http-chain.js';
import { CONTROL_NAMES, ODD_NAMES, treeOf, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

/** A folder of a few large and many small files behind three relays. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const dir = join(root, 'a folder');
  mkdirSync(join(dir, 'large'), { recursive: true });
  for (const name of ['one', 'two', 'three']) randomFile(join(dir, 'large'), name, 9 * MIB + 1);
  writeNames(join(dir, 'odd'), [...ODD_NAMES, ...CONTROL_NAMES]);
  writeNames(join(dir, 'odd', '100% of #1?'), ['@h3:1', 'two words']);
  const deep = join(dir, 'd'.repeat(120), 'e'.repeat(120));
  writeNames(deep, ['f'.repeat(60), 'ü'.repeat(110)]);
  for (let index = 0; index < 300; index += 1)
    writeFileSync(join(dir, `file ${index}`), `${index}`.repeat(index));
  return { dir, chain: await httpChain(t, root), folder: tempFolder(t) };
}

const PATH = '/a%20folder/?tar';

async function fetched(
  t: TestContext,
  chain: HttpChain,
  folder: string,
  name = 'whole.tar',
): Promise<string> {
  const { code, stderr } = await runPeer(t, folder, 'curl', ['-sS', '-o', name, chain.url(PATH)]);
  assert.equal(code, 0, stderr);
  return join(folder, name);
}

test('curl -C - of an archive that was cut at 60 % gives the same file', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { chain, folder } = await prepare(t);
  const whole = await fetched(t, chain, folder);
  const part = await fetched(t, chain, folder, 'part.tar');
  const cut = Math.floor(statSync(whole).size * 0.6);
  truncateSync(part, cut);
  const args = ['-sSv', '-C', '-', '-o', 'part.tar', chain.url(PATH)];
  const { code, stderr } = await runPeer(t, folder, 'curl', args);
  assert.equal(code, 0, stderr);
  assert.ok(stderr.includes(`> Range: bytes=${cut}-\r\n`), stderr);
  assert.equal(sha256(readFileSync(part)), sha256(readFileSync(whole)));
});

test('aria2c fetches an archive over four connections', async (t) => {
  if (!havePeer(t, 'aria2c') || !havePeer(t, 'curl')) return;
  const { chain, folder } = await prepare(t);
  const whole = await fetched(t, chain, folder);
  const args = ['-q', '--no-conf', '--file-allocation=none', '-x4', '-s4', '-k1M', '-o', 'parts.tar'];
  const { code, stdout } = await runPeer(t, folder, 'aria2c', [...args, chain.url(PATH)]);
  assert.equal(code, 0, stdout);
  assert.equal(sha256(readFileSync(join(folder, 'parts.tar'))), sha256(readFileSync(whole)));
});

describe('programs list and extract an archive with odd names', () => {
  for (const [program, list, extract] of [
    ['tar', ['tf'], ['xf']],
    ['bsdtar', ['tf'], ['xf']],
    ['python3', ['-m', 'tarfile', '-l'], ['-m', 'tarfile', '-e']],
  ] as const)
    test(program, async (t) => {
      if (!havePeer(t, program) || !havePeer(t, 'curl')) return;
      const { dir, chain, folder } = await prepare(t);
      const archive = await fetched(t, chain, folder);
      const listed = await runPeer(t, folder, program, [...list, archive]);
      assert.deepEqual([listed.code, listed.stderr], [0, '']);
      assert.ok(listed.stdout.startsWith('a folder/'), listed.stdout.slice(0, 100));
      const extracted = await runPeer(t, folder, program, [...extract, archive]);
      assert.deepEqual([extracted.code, extracted.stderr], [0, '']);
      assert.deepEqual(treeOf(join(folder, 'a folder')), treeOf(dir));
    });
});

describe('programs test and extract a zip archive', () => {
  for (const [program, check, extract] of [
    ['unzip', ['-tq'], ['-qo']],
    ['bsdtar', ['tf'], ['xf']],
    ['python3', ['-m', 'zipfile', '-t'], ['-m', 'zipfile', '-e']],
  ] as const)
    test(program, async (t) => {
      if (!havePeer(t, program) || !havePeer(t, 'curl')) return;
      const { dir, chain, folder } = await prepare(t);
      // unzip changes names with control characters, and Python those with a backslash or a NUL.
      const plain = join(dir, 'large');
      writeNames(join(plain, 'größe'), ['two words', '文件', 'a & b', '100%']);
      const url = chain.url('/a%20folder/large/?zip');
      const got = await runPeer(t, folder, 'curl', ['-sS', '-o', 'large.zip', url]);
      assert.equal(got.code, 0, got.stderr);
      const tested = await runPeer(t, folder, program, [...check, 'large.zip']);
      assert.equal(tested.code, 0, tested.stderr);
      const target = program === 'python3' ? ['.'] : [];
      const extracted = await runPeer(t, folder, program, [...extract, 'large.zip', ...target]);
      assert.equal(extracted.code, 0, extracted.stderr);
      assert.deepEqual(treeOf(join(folder, 'large')), treeOf(plain));
    });
});
