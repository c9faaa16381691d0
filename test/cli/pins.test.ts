import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { PIN } from '../support/identity.js';
import { testChain } from '../support/nodes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const OTHER = `sha256//${Buffer.alloc(32).toString('base64')}`;

async function served(t: TestContext, pin: string) {
  const [root, cwd] = [tempFolder(t), tempFolder(t)];
  writeFileSync(join(root, 'file'), 'text');
  const { route } = await testChain(t, 2, { root });
  writeFileSync(join(cwd, 'input.txt'), inputWith(route, pin));
  return { route, get: (...args: readonly string[]) => runInProcess(['get', '-q', ...args], { cwd }) };
}

function inputWith(route: readonly HostHop[], pin: string): string {
  const lines = route.map(({ host, port }) => `${host} ${port}`);
  return `file\n${lines.join('\n')} ${pin}\n`;
}

const QUIET = { code: 0, stdout: '', stderr: '' };

test('the pin of the input file and that of --pin both count', async (t) => {
  const { get } = await served(t, OTHER);
  assertOneLine(
    await get('--route', 'input.txt'),
    60,
    /presented a key with the pin .*, expected sha256\/\/AAAA/,
  );
  assert.deepEqual(await get('--route', 'input.txt', '--pin', PIN), QUIET);
});

test('the pin of the input file alone', async (t) => {
  const { get } = await served(t, PIN);
  assert.deepEqual(await get('--route', 'input.txt', '--pin', OTHER), QUIET);
});

test('--plain with a pin is a usage error that says where the pin is from', async (t) => {
  const { get, route } = await served(t, PIN);
  assertOneLine(
    await get('--plain', '--route', 'input.txt'),
    2,
    /: the input file has a pin, but with --plain no key is checked; leave --plain out, or remove the pin /,
  );
  const where = route.map(formatHop).join('/@');
  assertOneLine(
    await get('--plain', '--pin', PIN, `${where}/file`),
    2,
    /: with --plain no key is checked, unless the location begins with https:\/\/ /,
  );
});

test('with https:// a wrong pin says that two are needed', async (t) => {
  const { get, route } = await served(t, PIN);
  const where = `https://${route.map(formatHop).join('/@')}/file`;
  assert.deepEqual(await get('--pin', PIN, where), QUIET, 'all nodes of tests have the same');
  const run = await get('--pin', OTHER, where);
  const said =
    /: hop 1 .* \(check the pin and the address; with https:\/\/ through a relay, the first hop and the last each need a pin\)$/m;
  assertOneLine(run, 60, said);
});

test('what is no pin is printed safely', async () => {
  const run = await runInProcess(['get', '--pin', 'sha256//\u001b[2J', 'h:1/x']);
  assertOneLine(
    run,
    2,
    /"sha256\/\/\\x1b\[2J" is not a pin; expected sha256\/\/ and 44 characters of base64/,
  );
});
