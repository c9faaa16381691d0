import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DIGESTS_PER_CLIENT,
  DIGESTS_QUEUED,
  DIGEST_PART_BYTES,
  DigestQueue,
} from '#src/node/origin/digest-queue.js';
import { Digests, type WantedDigest } from '#src/node/origin/digests.js';
import { Root } from '#src/node/origin/root.js';
import type { ServedFile } from '#src/node/origin/served-file.js';
import { settles, watchDescriptors } from '../../../support/leaks.js';
import { randomFile, sparseFile, tempFolder } from '../../../support/temp.js';

const GIB = 2 ** 30;
const HUGE = 1024 * GIB;

/** A folder with files, and the digests of them. */
async function prepare(t: TestContext, options: { maxBytes?: number; abandonMs?: number } = {}) {
  const folder = tempFolder(t);
  const root = await Root.at(folder, false);
  const digests = new Digests(options.maxBytes, options.abandonMs);
  t.after(() => digests.close());
  const want = async (name: string, client: string): Promise<WantedDigest> => {
    const { handle, version, size } = await root.openFile(name);
    await handle.close();
    return digests.want({ version, size, client, reopen: () => root.openFile(name) });
  };
  return { folder, digests, want };
}

function reprDigest(bytes: Buffer): readonly (readonly [string, string])[] {
  return [['Repr-Digest', `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`]];
}

function filesOpen(folder: string): number {
  const isThere = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc/self/fd').filter(isThere).length;
}

/** Of each thread of this process (proc(5)). */
function niceValues(): readonly number[] {
  return readdirSync('/proc/self/task').map((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

test('huge files of one client keep nobody waiting, not even its own small files', async (t) => {
  const { folder, want } = await prepare(t);
  const bytes = randomFile(folder, 'file', DIGEST_PART_BYTES + 1);
  for (let number = 0; number < 8; number += 1) {
    sparseFile(folder, `huge-${number}`, HUGE);
    await want(`huge-${number}`, 'attacker');
  }
  for (const client of ['attacker', 'honest'])
    assert.deepEqual(await (await want('file', client)).fields(true), reprDigest(bytes), client);
});

test('a digest that nobody waits for any more is given up, and its file closed', async (t) => {
  const { folder, want } = await prepare(t, { abandonMs: 100 });
  const nothingOpen = watchDescriptors();
  sparseFile(folder, 'huge', HUGE);
  const first = await want('huge', 'a');
  const second = await want('huge', 'b');
  first.release();
  second.release();
  await nothingOpen();
});

test('a client has few files under way, and all clients together no more than the bound', async (t) => {
  const { folder, want } = await prepare(t);
  const many = DIGESTS_QUEUED + 2 * DIGESTS_PER_CLIENT;
  for (let number = 0; number < many; number += 1) sparseFile(folder, `huge-${number}`, HUGE + number);
  for (let number = 0; number < many; number += 1)
    void (await want(`huge-${number}`, `client ${Math.floor(number / (2 * DIGESTS_PER_CLIENT))}`)).fields(
      false,
    );
  const open = filesOpen(folder);
  assert.ok(open <= DIGESTS_QUEUED, `${open} files are open`);
  const bytes = randomFile(folder, 'file', DIGEST_PART_BYTES + 1);
  assert.deepEqual(await (await want('file', 'honest')).fields(true), reprDigest(bytes));
});

test('holes are hashed as zeros', async (t) => {
  const { folder, want } = await prepare(t);
  sparseFile(folder, 'sparse', 20_000_000);
  const bytes = readFileSync(join(folder, 'sparse'));
  assert.deepEqual(await (await want('sparse', 'a')).fields(true), reprDigest(bytes));
});

test('a file above the limit has no digest and none is promised', async (t) => {
  const { folder, want } = await prepare(t, { maxBytes: 1_000_000 });
  randomFile(folder, 'large', 1_000_001);
  const bytes = randomFile(folder, 'small', 1_000_000);
  assert.deepEqual(await (await want('large', 'a')).fields(true), []);
  assert.deepEqual(await (await want('small', 'a')).fields(true), reprDigest(bytes));
});

test('threads that hash give way to others', { skip: process.platform !== 'linux' }, async (t) => {
  const { folder, want } = await prepare(t);
  sparseFile(folder, 'huge', HUGE);
  await want('huge', 'a');
  await settles(
    niceValues,
    (values) => values.includes(10) && values.includes(getPriority()),
    (values) => `nice values of the threads: ${values.join(' ')}`,
  );
});

test('files that many ask for in the same moment are bounded too, and opened when their turn comes', async (t) => {
  const { folder, want } = await prepare(t);
  const names = Array.from({ length: 3 * DIGESTS_PER_CLIENT }, (_, number) => `huge-${number}`);
  for (const [number, name] of names.entries()) sparseFile(folder, name, HUGE + number);
  const wanted = await Promise.all(names.map((name) => want(name, 'attacker')));
  const fields = await Promise.all(wanted.map((digest) => digest.fields(false)));
  assert.ok(fields.every(([field]) => field?.[0] === 'Retry-After'));
  const open = filesOpen(folder);
  assert.ok(open <= DIGESTS_PER_CLIENT, `${open} files are open`);
});

test('a thread that is closed while a file is opened stays closed, and so does the file in the end', async (t) => {
  const { folder, digests } = await prepare(t);
  const nothingOpen = watchDescriptors();
  sparseFile(folder, 'huge', HUGE);
  const root = await Root.at(folder, false);
  const mayOpen = new EventEmitter();
  const opening = once(mayOpen, 'open');
  const { handle, version, size } = await root.openFile('huge');
  await handle.close();
  let reopened: Promise<unknown> = Promise.resolve();
  const reopen = () => {
    const file = opening.then(() => root.openFile('huge'));
    reopened = file;
    return file;
  };
  const wanted = digests.want({ version, size, client: 'a', reopen });
  const threads = niceValues().length;
  await digests.close();
  mayOpen.emit('open');
  await reopened;
  assert.deepEqual(await wanted.fields(true), [['Retry-After', '1']]);
  await nothingOpen();
  assert.equal(niceValues().length, threads);
});

test('files that hang keep others waiting for a short time, and cost a bounded number of threads', async (t) => {
  const folder = tempFolder(t);
  const root = await Root.at(folder, false);
  const queue = new DigestQueue(100);
  t.after(() => queue.close());
  const bytes = randomFile(folder, 'file', 2 * DIGEST_PART_BYTES + 1);
  const digestOf = (client: string, open: () => Promise<ServedFile>): Promise<string | undefined> => {
    assert.ok(queue.makeRoom(client));
    return new Promise((done) =>
      queue.add({ clients: new Set([client]), size: bytes.length, open, isAbandoned: () => false, done }),
    );
  };
  const answers = new EventEmitter();
  const hung: Promise<string | undefined>[] = [];
  const hang = (): void => {
    hung.push(
      digestOf(`attacker ${hung.length % 5}`, async () => {
        await once(answers, 'now');
        throw new Error('it does not exist');
      }),
    );
  };
  const threads = niceValues().length;
  const file = await root.openFile('file');
  const honest = (): Promise<string | undefined> => digestOf('honest', async () => file);
  const digest = createHash('sha256').update(bytes).digest('base64');
  // Before, between and behind files that hang.
  const before = honest();
  hang();
  hang();
  const between = honest();
  hang();
  assert.deepEqual(await Promise.all([before, between, honest()]), [digest, digest, digest]);
  for (let more = 0; more < 20; more += 1) hang();
  await settles(
    () => answers.listenerCount('now'),
    (count) => count === 8,
    (count) => `${count} hang`,
  );
  await delay(300);
  assert.equal(answers.listenerCount('now'), 8);
  assert.ok(niceValues().length <= threads + 8);
  const last = honest();
  while (answers.emit('now')) await delay(50);
  assert.deepEqual(
    await Promise.all(hung),
    Array.from(hung, () => undefined),
  );
  assert.equal(await last, digest);
  await file.handle.close();
});
