import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, describe, test } from 'node:test';
import { formatHop } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { ask, get } from '../support/wire-replies.js';
import { PINNED } from '../support/identity.js';

const latin1 = (folder: string, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);

/** A relay and an origin with names of Latin-1, also of a folder. Other systems have no such names. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(latin1(root, 'f\u00fe'));
  writeFileSync(latin1(root, 'bad\u00ff.txt'), 'hi');
  writeFileSync(latin1(root, 'f\u00fe/\u00e9t\u00e9'), 'summer');
  writeFileSync(`${root}/été`, 'UTF-8');
  const { route } = await testChain(t, 2, { root });
  const [first, last] = route;
  assert.ok(first && last);
  return { root, first, via: `/@${formatHop(last)}`, where: `${formatHop(first)}/@${formatHop(last)}/` };
}

describe('names that are not UTF-8', { skip: process.platform !== 'linux' }, () => {
  test('are listed, in JSON with their bytes, for people with \\xff', async (t) => {
    const { first, via, where } = await prepare(t);
    const json = (await ask(t, first, get(`${via}/`, 'Accept: application/json'))).body.toString();
    const { entries } = JSON.parse(json) as { entries: { name: string; href?: string }[] };
    assert.deepEqual(
      entries.map(({ name, href }) => [name, href]),
      [
        ['f\ufffd', './f%FE'],
        ['bad\ufffd.txt', './bad%FF.txt'],
        ['été', undefined],
      ],
    );
    const page = (await ask(t, first, get(`${via}/`, 'Accept: text/html'))).body.toString();
    assert.match(page, /<a href="\.\/bad%FF\.txt">bad\\xff\.txt<\/a>/);
    assert.match(page, /<a href="\.\/f%FE\/">f\\xfe\/<\/a>/);
    assert.equal((await ask(t, first, get(`${via}/bad%FF.txt`))).body.toString(), 'hi');
    assert.equal((await ask(t, first, get(`${via}/bad%FE.txt`))).status, 404);
    const { stdout } = await runInProcess(['ls', ...PINNED, where]);
    assert.deepEqual(stdout.split('\n'), ['f\\xfe/', 'bad\\xff.txt', 'été', '']);
  });

  test('are fetched and saved under the same bytes, alone and with their folder', async (t) => {
    const { where } = await prepare(t);
    const folder = tempFolder(t);
    const all = await runInProcess(['get', ...PINNED, '-r', where, '-o', `${folder}/all`]);
    assert.equal(all.code, 0, all.stderr);
    assert.deepEqual(readFileSync(latin1(folder, 'all/f\u00fe/\u00e9t\u00e9'), 'utf8'), 'summer');
    assert.deepEqual(
      readdirSync(`${folder}/all`, 'latin1').toSorted(),
      ['bad\u00ff.txt', 'f\u00fe', Buffer.from('été').toString('latin1')].toSorted(),
    );
    const again = await runInProcess(['get', ...PINNED, '-r', where, '-o', `${folder}/all`]);
    assert.match(again.stdout, /3 skipped/);
    const one = await runInProcess(['get', ...PINNED, `${where}bad%FF.txt`, '-o', `${folder}/`]);
    assert.equal(one.code, 0, one.stderr);
    assert.equal(readFileSync(latin1(folder, 'bad\u00ff.txt'), 'utf8'), 'hi');
  });
});

test('what a listing leaves out is counted, and makes get -r fail; hidden names are no failure', async (t) => {
  const { root, first, via, where } = await prepare(t);
  execFileSync('mkfifo', [`${root}/fifo`]);
  symlinkSync('nowhere', `${root}/broken`);
  symlinkSync('/etc', `${root}/out`);
  writeFileSync(`${root}/.hidden`, '');
  const json = (await ask(t, first, get(`${via}/`, 'Accept: application/json'))).body.toString();
  const { omitted } = JSON.parse(json) as { omitted: unknown };
  assert.deepEqual(omitted, { hidden: 1, links: 2, special: 1 });
  const page = (await ask(t, first, get(`${via}/`, 'Accept: text/html'))).body.toString();
  assert.match(
    page,
    /Not listed: 1 hidden name, 1 that is neither file nor folder, 2 links to what is not served\./,
  );
  const folder = tempFolder(t);
  const { code, stderr, stdout } = await runInProcess(['get', ...PINNED, '-r', where, '-o', `${folder}/all`]);
  assert.equal(code, 22);
  assert.match(
    stderr,
    /hop 2 \(.*\) does not serve all of the folder: 1 that is neither file nor folder, 2 links/,
  );
  assert.match(stdout, /^3 files .* 1 failed/m);
  const listed = await runInProcess(['ls', ...PINNED, where]);
  assert.match(listed.stderr, /not listed: 1 that is neither/);
});
