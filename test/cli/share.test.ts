import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeShare, isGenuine } from '#src/route/share-token.js';
import { runInProcess } from '../support/program.js';
import { runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

// What `viaduct share` prints, for which path, and the secret that it makes.

function place(t: TestContext) {
  const [root, state, elsewhere] = [tempFolder(t), tempFolder(t), tempFolder(t)];
  mkdirSync(join(root, 'photos', '2024'), { recursive: true });
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  writeFileSync(join(root, 'photos', 'a b%.jpg'), 'a photo\n');
  const share = (args: readonly string[], cwd = root) =>
    runInProcess(['share', ...args, '--state', state], { cwd });
  return { root, state, elsewhere, share, secret: join(state, 'share_secret') };
}

async function printed(run: ReturnType<ReturnType<typeof place>['share']>) {
  const { code, stdout, stderr } = await run;
  assert.equal(code, 0, stderr);
  const [, before = '', token = '', path = ''] =
    /^(.*)\/\.viaduct\/share\/([\w-]+)(\/.*)\n$/.exec(stdout) ?? [];
  const claim = decodeShare(token);
  assert.ok(claim, stdout);
  assert.ok(!stderr.includes(token), stderr);
  return { before, token, path, claim, stderr };
}

test('the path below the root: in the working folder, below --root, absolute', async (t) => {
  const { root, elsewhere, share } = place(t);
  symlinkSync(root, join(elsewhere, 'link'));
  for (const [args, cwd, path, kind, depth] of [
    [['a.txt'], root, '/a.txt', 'file', 1],
    [['./a.txt'], root, '/a.txt', 'file', 1],
    [['photos'], root, '/photos/', 'folder', 1],
    [['photos/2024/'], root, '/photos/2024/', 'folder', 2],
    [['photos/a b%.jpg'], root, '/photos/a%20b%25.jpg', 'file', 2],
    [['.'], root, '/', 'folder', 0],
    [['2024', '--root', root], join(root, 'photos'), '/photos/2024/', 'folder', 2],
    [['photos/2024', '--root', root], elsewhere, '/photos/2024/', 'folder', 2],
    [['/photos', '--root', root], elsewhere, '/photos/', 'folder', 1],
    [[join(root, 'a.txt'), '--root', root], elsewhere, '/a.txt', 'file', 1],
    [['link/a.txt', '--root', 'link'], elsewhere, '/a.txt', 'file', 1],
  ] as const) {
    const { before, claim, ...link } = await printed(share(args, cwd));
    assert.deepEqual([before, link.path, claim.kind, claim.depth], ['', path, kind, depth], args.join(' '));
    assert.match(
      link.stderr,
      /put the address of the node in front, as in http:\/\/HOST:PORT\/…, or use --route/,
    );
  }
});

test('what is in a share has its name in front', async (t) => {
  const { root, elsewhere, share } = place(t);
  mkdirSync(join(elsewhere, 'deep'));
  writeFileSync(join(elsewhere, 'deep', 'b.txt'), 'x');
  const [photos, other] = [`pics=${join(root, 'photos')},access=keys,links`, `a,b=${elsewhere}`];
  const shares = ['--share', photos, '--share', other];
  for (const [args, cwd, path, kind] of [
    [['pics/2024', ...shares], root, '/pics/2024/', 'folder'],
    [['/pics/', ...shares], root, '/pics/', 'folder'],
    [['2024', ...shares], join(root, 'photos'), '/pics/2024/', 'folder'],
    [[join(elsewhere, 'deep'), ...shares], root, '/a%2Cb/deep/', 'folder'],
    [['a,b/deep/b.txt', ...shares], root, '/a%2Cb/deep/b.txt', 'file'],
    // Inside of the root, but served under the name of the share only.
    [['photos/2024', '--root', root, ...shares], root, '/pics/2024/', 'folder'],
    [['a.txt', '--root', root, ...shares], root, '/a.txt', 'file'],
  ] as const) {
    const { claim, ...link } = await printed(share(args, cwd));
    assert.deepEqual([link.path, claim.kind], [path, kind], args.join(' '));
    assert.equal(claim.depth, path.split('/').filter(Boolean).length);
  }
  symlinkSync(root, join(elsewhere, 'out'));
  for (const [args, error] of [
    [['a.txt', ...shares], /there is no "a.txt" in the working folder or below \S+ or /],
    [['a,b/../x', ...shares], /there is no "/],
    [['a,b/out', ...shares], /"a,b\/out" is a link that leads out of the share/],
    [
      ['photos/2024', '--root', root, '--share', `photos=${elsewhere}`],
      /"photos\/2024" is hidden by the share "photos"/,
    ],
    [['p', '--share', `p=${elsewhere},access=keys`], /no link opens the share "p", which has access=keys/],
    [['x', '--share', `a/b=${elsewhere}`], /the share "a\/b" has a "\/" in its name/],
    [['x', '--share', `a=${elsewhere}`, '--share', `a=${root}`], /the share "a" is given twice/],
    [['x', '--share', 'x'], /--share x: expected NAME=DIR, or NAME=DIR,access=WHO/],
    [['x', '--share', 'x=missing'], /the share "x": folder missing cannot be used: /],
    [['x', '--share', 'x=.,access=all'], /access is public, keys, links or keys,links, not "all"/],
  ] as const)
    assertOneLine(await share(args), 2, error);
});

test('what has no link', async (t) => {
  const { root, elsewhere, share } = place(t);
  writeFileSync(join(elsewhere, 'secret'), 'x');
  writeFileSync(join(root, 'photos', 'a.txt'), 'another\n');
  mkdirSync(join(root, '.viaduct'));
  symlinkSync(join(elsewhere, 'secret'), join(root, 'out'));
  const real = realpathSync(root);
  for (const [args, cwd, error] of [
    [
      ['missing'],
      root,
      /there is no "missing" in the working folder or below .*; --root and --share name the folders/,
    ],
    [['../x'], root, /there is no "\.\.\/x"/],
    [[join(elsewhere, 'secret')], root, /there is no "/],
    [['out'], root, /"out" is a link that leads out of the root/],
    [['.viaduct'], root, /what is in \.viaduct below the root is never served/],
    [['a.txt', '--root', real], join(real, 'photos'), /"a\.txt" exists in the working folder and in /],
    [['a.txt', '--root', 'missing'], root, /the root folder missing cannot be used: /],
    [['a.txt', '--route', 'h1:12000/x'], root, /--route ends at the node, but "h1:12000\/x" has a path/],
    [[], root, /expected: share PATH, or --revoke-all/],
    [['a.txt', '--revoke-all'], root, /--revoke-all has no argument/],
  ] as const) {
    const run = await share(args, cwd);
    assertOneLine(run, 2, error);
    assert.equal(run.stdout, '', args.join(' '));
  }
  for (const time of ['0m', '24', '1.5h', '3651d', '9999999999s', 'h', '-1h'])
    assertOneLine(await share(['a.txt', `--for=${time}`]), 2, /Expected a time, such as 30m, 24h or 7d/);
  assertOneLine(await share(['a.txt', '--route', 'h1']), 2, /has no port/);
});

test('--for and --route', async (t) => {
  const { share } = place(t);
  for (const [args, seconds] of [
    [[], 24 * 3600],
    [['--for', '30m'], 1800],
    [['--for', '7d'], 7 * 24 * 3600],
    [['--for', '3650d'], 3650 * 24 * 3600],
  ] as const) {
    const before = Math.floor(Date.now() / 1000);
    const { claim } = await printed(share(['a.txt', ...args]));
    const made = claim.expires - seconds;
    assert.ok(made >= before && made <= Date.now() / 1000);
  }
  const routed = await printed(share(['photos', '--route', 'h1:12000/@~attic']));
  assert.equal(routed.before, 'http://h1:12000/@~attic');
  assert.match(
    routed.stderr,
    /^viaduct: opens \/photos\/ and all below it until \S+Z, for everyone who has the link\n$/,
  );
  const secure = await printed(share(['a.txt', '--route', 'https://h1:12000/']));
  assert.equal(secure.before, 'https://h1:12000');
});

test('the secret is made once, also by many at once, and is private', async (t) => {
  const { root, state, secret } = place(t);
  const args = ['share', 'photos', '--state', state];
  const runs = await Promise.all(Array.from({ length: 4 }, () => runViaduct(t, args, { cwd: root })));
  const text = readFileSync(secret, 'utf8');
  assert.equal(Buffer.from(text, 'base64').length, 32);
  assert.equal(statSync(secret).mode & 0o777, 0o600);
  for (const { stdout, code } of runs) {
    assert.equal(code, 0);
    const claim = decodeShare(stdout.split('/')[3] ?? '');
    assert.ok(claim && isGenuine(claim, ['photos'], Buffer.from(text, 'base64')));
  }
});

test('--revoke-all makes another one; one that is damaged or that others can read is not used', async (t) => {
  const { share, secret } = place(t);
  await printed(share(['a.txt']));
  const first = readFileSync(secret, 'utf8');
  assert.deepEqual(await share(['--revoke-all']), { code: 0, stdout: '', stderr: '' });
  assert.notEqual(readFileSync(secret, 'utf8'), first);
  assert.equal(statSync(secret).mode & 0o777, 0o600);
  chmodSync(secret, 0o640);
  assertOneLine(await share(['a.txt']), 26, /share_secret: it is readable by others; run: chmod 600 /);
  chmodSync(secret, 0o600);
  for (const text of ['garbage\n', first.trimEnd(), ` ${first}`, `${first}\n`]) {
    writeFileSync(secret, text);
    assertOneLine(await share(['a.txt']), 26, /share_secret: it is damaged; delete it to get a new secret/);
  }
});
