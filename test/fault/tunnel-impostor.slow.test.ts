import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ErrorCode, type HostHop, formatHop } from 'viaduct';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { request } from '#src/client/http/request.js';
import { failureOf } from '../support/failures.js';
import { type Impostor, impostor } from '../support/impostor.js';
import { BROKEN_ORIGINS, CHEATS, type Cheat, SWITCHING } from '../support/impostors.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import type { ClientRun } from '../support/processes.js';
import { rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import {
  RECORD,
  type SecureChain,
  knownHost,
  recordTypes,
  recordingProxy,
  runSecure,
  secureChain,
  testIdentity,
} from '../support/tunnels.js';

const NAME = 'secret-name';
const PLACES = [1, 2, 3];
const LIMIT = { timeout: 90_000 };
/** Silence in a tunnel that its relays end. */
const SILENCE_MS = 1500;

async function chainWithFile(t: TestContext): Promise<SecureChain> {
  const chain = await secureChain(t, 2, { timeoutMs: SILENCE_MS });
  randomFile(chain.root, NAME, 100_000);
  return chain;
}

/** Nothing about the request came, neither in the clear nor in TLS. */
function assertLearntNothing({ got, decrypted }: Impostor, isEnd: boolean): void {
  assert.equal(decrypted.toString(), '');
  assert.ok(got.length > 0, 'it was asked for a tunnel');
  for (const bytes of got) assertOnlyHandshake(bytes, isEnd);
}

function assertOnlyHandshake(bytes: Buffer, isEnd: boolean): void {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n') + 4;
  assert.ok(end > 4, 'it was asked for a tunnel');
  assert.match(text.slice(0, end), /^GET (?:\/@127\.0\.0\.1:\d+)*\/ HTTP\/1\.1\r\n/);
  assert.ok(!text.includes('secret'), text);
  const types = recordTypes(bytes.subarray(end));
  assert.ok(isEnd || types.length === 0, `bytes before the tunnel was built: ${types.join()}`);
  // A server that has not proved a key gets a ClientHello and an alert.
  assert.ok(
    types.every(
      (type) => type === RECORD.handshake || type === RECORD.alert || type === RECORD.changeCipherSpec,
    ),
    types.join(),
  );
}

/** One line that names the hop, and the exit code of the documentation. */
function assertFails(run: ClientRun, code: ErrorCode, hopNumber: number, hop: HostHop, reason: RegExp): void {
  const lines = run.stderr.split('\n');
  const last = lines.at(-2) ?? '';
  assert.equal(run.code, outcomeOf({ code }).exit, run.stderr);
  const label = `viaduct: hop ${hopNumber} (${formatHop(hop)})`;
  assert.ok(last.startsWith(label), run.stderr);
  assert.match(last.slice(label.length).trimStart(), reason);
  assert.equal(run.stdout, '');
  if (code !== 'CHANGED_HOST_KEY') assert.equal(lines.length, 2, run.stderr);
}

interface Attempt {
  readonly cheat: Cheat;
  readonly place: number;
  readonly key: (route: readonly HostHop[]) => readonly string[];
  readonly code?: ErrorCode;
  readonly reason?: RegExp;
}

/** Fetches and lists through the cheat at a place. */
async function attempt(
  t: TestContext,
  chain: SecureChain,
  { cheat, place, key, ...other }: Attempt,
): Promise<void> {
  const { code, reason } = { code: cheat.code, reason: cheat.reason, ...other };
  const cheater = await impostor(t, cheat, chain.origin.hop);
  const route = chain.route.with(place - 1, cheater.hop);
  // Only the last hop can be reached in TLS or not, and a forged error blames it too.
  const isLast = cheat.switches === true || cheat.code === 'HTTP_ERROR';
  const number = isLast ? route.length : place;
  const hop = route[number - 1];
  assert.ok(hop);
  const folder = tempFolder(t);
  const get = await runSecure('get', { route, path: `/${NAME}` }, key(route), ['-o', join(folder, NAME)]);
  assertFails(get, code, number, hop, reason);
  const ls = await runSecure('ls', { route, path: `/secret/` }, key(route));
  assertFails(ls, code, number, hop, reason);
  assert.deepEqual(readdirSync(folder), []);
  assertLearntNothing(cheater, cheat.switches === true);
}

test('a chain without a cheat works', LIMIT, async (t) => {
  const { route, identity } = await chainWithFile(t);
  const folder = tempFolder(t);
  const pin = ['--pin', identity.pin];
  const run = await runSecure('get', { route, path: `/${NAME}` }, pin, ['-o', join(folder, NAME)]);
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(readdirSync(folder), [NAME]);
});

test('a hop that cheats is noticed, and gets nothing, at each place', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  const pin = ['--pin', chain.identity.pin];
  const nothingOpen = watchDescriptors();
  for (const cheat of CHEATS) {
    // A first hop that is silent costs the client's own limit (tunnel-limits.test.ts).
    const places = cheat.what === '101, then silence' ? PLACES.slice(1) : PLACES;
    await t.test(cheat.what, LIMIT, async (st) => {
      await Promise.all(places.map((place) => attempt(st, chain, { cheat, place, key: () => pin })));
    });
  }
  await nothingOpen();
});

test('another key than the known one is refused, and an unknown one too', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  for (const cheat of CHEATS.filter(({ code }) => code === 'WRONG_PIN')) {
    await t.test(cheat.what, LIMIT, async (st) => {
      for (const place of PLACES) {
        const known = (route: readonly HostHop[]): readonly string[] =>
          knownHost(st, route, chain.identity.pin);
        const changed = {
          code: 'CHANGED_HOST_KEY',
          reason: /^presented a key that is not the known one /,
        } as const;
        await attempt(st, chain, { cheat, place, key: known, ...changed });
        // --accept-new is for hosts that are not known yet.
        const acceptNew = (route: readonly HostHop[]): readonly string[] => [...known(route), '--accept-new'];
        await attempt(st, chain, { cheat, place, key: acceptNew, ...changed });
        const empty = (): readonly string[] => ['--state', join(tempFolder(st), 'state')];
        const unknown = { code: 'UNKNOWN_HOST_KEY', reason: /^presented an unknown key; / } as const;
        await attempt(st, chain, { cheat, place, key: empty, ...unknown });
      }
    });
  }
});

test('only the origin decides about the file: errors of hops have another code', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  const forgeries = CHEATS.filter(({ code }) => code === 'HTTP_ERROR');
  assert.equal(forgeries.length, 4);
  for (const cheat of forgeries) {
    for (const place of PLACES) {
      const { hop } = await impostor(t, cheat, chain.origin.hop);
      const location = { route: chain.route.with(place - 1, hop), path: `/${NAME}` };
      const error = await failureOf(request(location, { encryption: { checkKey: async () => {} } }));
      assert.equal(error.code, 'HTTP_ERROR', cheat.what);
    }
  }
  // A reset right after FIN was refused, and the process could not end.
  const before = process.getActiveResourcesInfo().length;
  const nothing = { route: chain.route, path: '/nothing' };
  const error = await failureOf(request(nothing, { encryption: { checkKey: async () => {} } }));
  assert.equal(error.code, 'NOT_FOUND');
  await settles(
    () => process.getActiveResourcesInfo().length,
    (now) => now <= before,
    (now) => `something keeps the process alive: ${now} of ${before}`,
  );
});

test('what breaks behind the right key is never a whole file', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  for (const broken of BROKEN_ORIGINS) {
    await t.test(broken.what, LIMIT, async (st) => {
      const { hop } = await impostor(st, broken, chain.origin.hop, chain.identity);
      const route = chain.route.with(chain.route.length - 1, hop);
      const folder = tempFolder(st);
      const args = ['-o', join(folder, NAME), '--no-verify', '--retry', '0'];
      const get = await runSecure('get', { route, path: `/${NAME}` }, ['--pin', chain.identity.pin], args);
      assertFails(get, broken.code, route.length, hop, broken.reason);
      assert.ok(!readdirSync(folder).includes(NAME));
    });
  }
});

const ALONE: Readonly<Record<string, (t: TestContext) => Promise<HostHop>>> = {
  'a node without a key': async (t) => (await testNode(t, { identity: undefined })).hop,
  'a plain reply': (t) => answers(t, 'HTTP/1.1 400 Bad Request\r\nViaduct: 1\r\nContent-Length: 0\r\n\r\n'),
  'a greeting': (t) => answers(t, 'SSH-2.0-OpenSSH_9.2\r\n'),
  'a 101': (t) => answers(t, SWITCHING),
  FIN: (t) => answers(t, ''),
};

/** They say nothing. */
const ENDING = new Set(['FIN']);

/** A server that answers whatever comes with a text and FIN. */
async function answers(t: TestContext, text: string): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => socket.once('data', () => socket.end(text)).resume());
  return hop;
}

test('an only hop that does not speak TLS gets no request', LIMIT, async (t) => {
  for (const [what, start] of Object.entries(ALONE)) {
    await t.test(what, LIMIT, async (st) => {
      const link = await recordingProxy(st, await start(st));
      const folder = tempFolder(st);
      const pin = ['--pin', testIdentity().pin];
      const location = { route: [link.hop], path: `/${NAME}` };
      const run = await runSecure('get', location, pin, ['-o', join(folder, NAME)]);
      if (ENDING.has(what))
        assertFails(run, 'CUT_SHORT', 1, link.hop, /^broke the connection during the TLS handshake: \S/);
      else assertFails(run, 'TLS_FAILED', 1, link.hop, /^(?:does not speak TLS|.+ alert handshake failure)/);
      assert.deepEqual(readdirSync(folder), []);
      assert.ok(link.up.length > 0 && !link.up.includes('secret'));
      assert.ok(!recordTypes(link.up).includes(RECORD.applicationData));
    });
  }
});
