import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type ErrorCode, ViaductError } from 'viaduct';
import { Root } from '#src/node/origin/root.js';
import { nearlyValid } from '../../../support/arbitraries.js';
import { failureOf } from '../../../support/failures.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { tempFolder } from '../../../support/temp.js';

/** A root with some files, beside a folder that holds a secret. */
function makeRoot(t: TestContext) {
  const folder = tempFolder(t);
  const [root, outside] = [join(folder, 'root'), join(folder, 'root-not')];
  mkdirSync(join(root, 'sub/deep'), { recursive: true });
  mkdirSync(join(root, '.hidden'));
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  for (const name of ['file', 'sub/deep/file', '.dot', '.hidden/file', 'sub/..odd', 'a b', '-', 'ä\n']) {
    writeFileSync(join(root, name), `this is ${name}`);
  }
  return { root, outside, secret: join(outside, 'secret') };
}

async function read(root: Root, name: string): Promise<string> {
  const { handle, size } = await root.openFile(name);
  try {
    const text = await handle.readFile('utf8');
    assert.equal(Buffer.byteLength(text), size);
    return text;
  } finally {
    await handle.close();
  }
}

/** The name is refused with this code, and nothing stays open. */
async function refuses(root: Root, name: string, code: ErrorCode): Promise<ViaductError> {
  const nothingLeft = watchDescriptors();
  const error = await failureOf(root.openFile(name));
  assert.equal(error.code, code, error.message);
  await nothingLeft();
  return error;
}

test('a root below a hidden folder is served', async (t) => {
  const root = await Root.at(join(makeRoot(t).root, '.hidden'), false);
  assert.equal(await read(root, 'file'), 'this is .hidden/file');
});

describe('a root', () => {
  test('is a folder that exists, by its real path', async (t) => {
    const { root } = makeRoot(t);
    symlinkSync(root, `${root}-link`);
    const { path } = await Root.at(`${root}-link`, false);
    assert.equal((await Root.at(root, false)).path, path);
  });

  test('is nothing else', async (t) => {
    const { root } = makeRoot(t);
    for (const [path, message] of [
      [join(root, 'missing'), /does not exist/],
      [join(root, 'file'), /is not a folder/],
      [join(root, 'file/x'), /cannot be used/],
    ] as const) {
      await assert.rejects(Root.at(path, false), { code: 'USAGE', message });
    }
  });

  test('may be the whole machine', async (t) => {
    const { secret } = makeRoot(t);
    assert.equal(await read(await Root.at('/', false), secret.slice(1)), 'secret');
  });
});

describe('names', () => {
  for (const name of ['file', 'sub/deep/file', './file', 'sub/./deep//file', 'a b', '-', 'ä\n']) {
    test(`${JSON.stringify(name)} is served`, async (t) => {
      const root = await Root.at(makeRoot(t).root, name.startsWith('.'));
      assert.match(await read(root, name), /^this is /);
    });
  }

  for (const name of [
    '..',
    '../root-not/secret',
    'sub/../../root-not/secret',
    'a/../../x',
    'sub/..',
    'sub/../file',
    '/etc/passwd',
    '//etc/passwd',
    '/',
    '',
    'file\0',
    'file\0.txt',
    '\0',
  ]) {
    test(`${JSON.stringify(name)} is refused by its text alone`, async (t) => {
      await refuses(await Root.at(makeRoot(t).root, true), name, 'FORBIDDEN');
    });
  }

  for (const name of [
    'missing',
    'missing/file',
    'file/x',
    'file/',
    '%2e%2e/root-not/secret',
    '..\\root-not\\secret',
  ]) {
    test(`${JSON.stringify(name)} is not found`, async (t) => {
      await refuses(await Root.at(makeRoot(t).root, true), name, 'NOT_FOUND');
    });
  }

  test('a name that the system cannot have is an error, not a crash', async (t) => {
    const root = await Root.at(makeRoot(t).root, false);
    await refuses(root, 'x'.repeat(300), 'NOT_FOUND');
  });

  test('the absolute path of a file in the root is refused too', async (t) => {
    const { root } = makeRoot(t);
    await refuses(await Root.at(root, false), join(root, 'file'), 'FORBIDDEN');
  });

  test('messages have no control characters', async (t) => {
    const root = await Root.at(makeRoot(t).root, false);
    const error = await refuses(root, '\u001b[2J', 'NOT_FOUND');
    assert.match(error.message, /"\\x1b\[2J"/);
  });

  test('whatever the name, the secret beside the root is not read', async (t) => {
    const root = await Root.at(makeRoot(t).root, true);
    const pieces = fc.constantFrom('..', '.', '/', 'root-not', 'secret', 'sub', 'deep', '//', '\\', '%2e');
    const paths = fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.oneof(paths, nearlyValid), async (name) => {
        try {
          assert.notEqual(await read(root, name), 'secret');
        } catch (error) {
          if (!(error instanceof ViaductError) || error.code === 'INTERNAL') throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('names with a leading dot', () => {
  for (const name of ['.dot', '.hidden/file', './.dot', 'sub/..odd']) {
    test(`${name} needs the option`, async (t) => {
      const { root } = makeRoot(t);
      const error = await refuses(await Root.at(root, false), name, 'FORBIDDEN');
      assert.match(error.message, /--dotfiles/);
      assert.match(await read(await Root.at(root, true), name), /^this is /);
    });
  }
});

describe('symbolic links', () => {
  test('to what is inside are followed', async (t) => {
    const { root } = makeRoot(t);
    symlinkSync('sub/deep/file', join(root, 'relative'));
    symlinkSync(join(root, 'file'), join(root, 'absolute'));
    symlinkSync('sub', join(root, 'folder'));
    symlinkSync(join('..', basename(root), 'file'), join(root, 'out-and-in'));
    const served = await Root.at(root, false);
    assert.equal(await read(served, 'relative'), 'this is sub/deep/file');
    assert.equal(await read(served, 'absolute'), 'this is file');
    assert.equal(await read(served, 'folder/deep/file'), 'this is sub/deep/file');
    assert.equal(await read(served, 'out-and-in'), 'this is file');
  });

  test('to what is outside are refused', async (t) => {
    const { root, outside, secret } = makeRoot(t);
    symlinkSync(secret, join(root, 'file-link'));
    symlinkSync(outside, join(root, 'folder-link'));
    symlinkSync('../root-not/secret', join(root, 'sub-link'));
    symlinkSync('file-link', join(root, 'link-to-link'));
    symlinkSync('/', join(root, 'slash'));
    symlinkSync('/proc/self/environ', join(root, 'environ'));
    const served = await Root.at(root, true);
    for (const name of ['file-link', 'folder-link', 'folder-link/secret', 'sub-link', 'link-to-link']) {
      await refuses(served, name, 'FORBIDDEN');
    }
    for (const name of [`slash${secret}`, 'slash', 'environ']) await refuses(served, name, 'FORBIDDEN');
  });

  test('to hidden names inside are refused without --dotfiles', async (t) => {
    const { root } = makeRoot(t);
    symlinkSync('.dot', join(root, 'dotlink'));
    symlinkSync('.hidden/file', join(root, 'link-to-file'));
    symlinkSync('.hidden', join(root, 'link-to-folder'));
    symlinkSync('dotlink', join(root, 'link-to-link'));
    for (const name of ['dotlink', 'link-to-file', 'link-to-folder/file', 'link-to-link']) {
      assert.match((await refuses(await Root.at(root, false), name, 'FORBIDDEN')).message, /--dotfiles/);
      assert.match(await read(await Root.at(root, true), name), /^this is \./);
    }
  });

  test('to nothing or to themselves are refused', async (t) => {
    const { root } = makeRoot(t);
    symlinkSync('missing', join(root, 'dangling'));
    symlinkSync('loop', join(root, 'loop'));
    const served = await Root.at(root, false);
    await refuses(served, 'dangling', 'NOT_FOUND');
    await refuses(served, 'loop', 'FORBIDDEN');
  });
});

// None of these may block: opening a FIFO waits for a writer, reading a device may never end.
describe('what is no regular file', { timeout: 10_000 }, () => {
  test('a folder', async (t) => {
    const served = await Root.at(makeRoot(t).root, false);
    for (const name of ['sub', 'sub/deep', '.']) await refuses(served, name, 'FORBIDDEN');
  });

  test('a FIFO', async (t) => {
    const { root } = makeRoot(t);
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await refuses(await Root.at(root, false), 'fifo', 'FORBIDDEN');
  });

  test('a link to a device', async (t) => {
    const { root } = makeRoot(t);
    symlinkSync('/dev/zero', join(root, 'zero'));
    symlinkSync('/dev/tty', join(root, 'tty'));
    const served = await Root.at(root, false);
    await refuses(served, 'zero', 'FORBIDDEN');
    const { code } = await failureOf(served.openFile('tty')); // Without a terminal it cannot be opened at all.
    assert.equal(code, 'FORBIDDEN');
  });

  test('a device in a root that has them', async () => {
    await refuses(await Root.at('/dev', false), 'zero', 'FORBIDDEN');
  });

  test('a socket', async (t) => {
    const { root } = makeRoot(t);
    const server = createServer().listen(join(root, 'socket'));
    t.after(() => server.close());
    await once(server, 'listening');
    await refuses(await Root.at(root, false), 'socket', 'FORBIDDEN');
  });
});
