import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { havePeer } from '../support/peers.js';
import { type ClientRun, NodeProcess, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

/* Whole transcripts of what users see of keys, of real nodes. HOST stands for an origin, RELAY for a relay, and so on. */

interface Host {
  readonly hop: HostHop;
  readonly pin: string;
  readonly node: NodeProcess;
}

/** A node with an identity of its own, which serves `a.txt`. @param port @default a free one */
async function host(t: TestContext, port = 0): Promise<Host> {
  const [root, state] = [tempFolder(t), tempFolder(t)];
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const node = await NodeProcess.start(t, { root, port, args: ['--state', state] });
  return { node, hop: node.hop, pin: (await loadIdentity(state, 'node')).pin };
}

/** A user with a state folder, in an empty working folder. */
class User {
  readonly folder: string;
  readonly state: string;
  readonly #t: TestContext;
  #names: readonly (readonly [text: string, shown: string])[] = [];

  constructor(t: TestContext) {
    this.#t = t;
    this.folder = tempFolder(t);
    this.state = join(tempFolder(t), 'state');
  }

  /** What transcripts have instead of addresses and pins. */
  knows(names: Readonly<Record<string, Host>>): this {
    this.#names = Object.entries(names).flatMap(([name, { hop, pin }]) => [
      [formatHop(hop), name],
      [pin, `${name}-PIN`],
    ]);
    return this;
  }

  shown(text: string): string {
    const names = [[this.state, 'STATE'], ...this.#names] as const;
    return names.reduce((all, [part, name]) => all.replaceAll(part, name), text).replaceAll('\r\n', '\n');
  }

  async get(where: string, ...args: readonly string[]): Promise<ClientRun> {
    const command = ['get', where, '-q', '--state', this.state, ...args];
    const run = await runViaduct(this.#t, command, { cwd: this.folder });
    return { ...run, stderr: this.shown(run.stderr) };
  }

  get knownHosts(): string {
    return this.shown(readFileSync(join(this.state, 'known_hosts'), 'utf8'));
  }
}

const known = (text: string): string => text.replaceAll(/^#.*\n/gm, '');

test('first use without a terminal fails with the command that accepts the key; then the host is known', async (t) => {
  const [relay, origin] = [await host(t), await host(t)];
  const user = new User(t).knows({ RELAY: relay, HOST: origin });
  const where = `${formatHop(relay.hop)}/@${formatHop(origin.hop)}/a.txt`;
  assert.deepEqual(await user.get(where), {
    code: 60,
    stdout: '',
    stderr:
      'viaduct: hop 2 (HOST) presented an unknown key; if its pin is right, run: viaduct known add --state STATE RELAY/@HOST HOST-PIN (or use --pin or --accept-new)\n',
  });
  assert.deepEqual(readdirSync(user.folder), []);
  assert.ok(
    origin.node.log.every(({ name }) => name === undefined),
    'nothing was requested',
  );
  const name = `${formatHop(relay.hop)}/@${formatHop(origin.hop)}`;
  const added = await runViaduct(t, ['known', 'add', '--state', user.state, name, origin.pin]);
  assert.equal(added.code, 0, added.stderr);
  assert.deepEqual(await user.get(where), { code: 0, stdout: '', stderr: '' });
  assert.equal(readFileSync(join(user.folder, 'a.txt'), 'utf8'), 'hi\n');
});

test('--accept-new says what it saved, once; the file is for this user only', async (t) => {
  const origin = await host(t);
  const user = new User(t).knows({ HOST: origin });
  const where = `${formatHop(origin.hop)}/a.txt`;
  const saved = 'viaduct: saved the pin of HOST to STATE/known_hosts\n';
  assert.deepEqual(await user.get(where, '--accept-new'), { code: 0, stdout: '', stderr: saved });
  assert.deepEqual(await user.get(where, '--accept-new'), { code: 0, stdout: '', stderr: '' });
  assert.equal(known(user.knownHosts), 'HOST HOST-PIN\n');
  assert.equal(statSync(join(user.state, 'known_hosts')).mode & 0o777, 0o600);
});

test('first use on a terminal asks, and goes on after yes', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const origin = await host(t);
  const user = new User(t).knows({ HOST: origin });
  const args = ['get', `${formatHop(origin.hop)}/a.txt`, '-q', '--state', user.state];
  const child = onTerminal(t, args, { cwd: user.folder });
  const question = `The key of the host is not known.
  host    HOST
  route   HOST
  pin     HOST-PIN
Compare the pin with the output of viaduct identity on the host.
Trust this key and save it to STATE/known_hosts (yes/no/pin)? `;
  await child.until(() => user.shown(child.stdout) === question);
  child.process.stdin?.write('yes\n');
  assert.equal(await child.ended, 0, child.stdout);
  assert.equal(
    user.shown(child.stdout),
    `${question}yes\nviaduct: saved the pin of HOST to STATE/known_hosts\n`,
  );
  assert.equal(readFileSync(join(user.folder, 'a.txt'), 'utf8'), 'hi\n');
});

test('a changed key: a warning as clear as that of ssh, and nothing is requested', async (t) => {
  const before = await host(t);
  const user = new User(t).knows({ HOST: before });
  const where = `${formatHop(before.hop)}/a.txt`;
  await user.get(where, '--accept-new');
  before.node.process.kill('SIGTERM');
  await before.node.ended;
  const after = await host(t, before.hop.port);
  user.knows({ HOST: before, NEW: after });
  const { code, stderr } = await user.get(where, '--accept-new');
  assert.equal(code, 60);
  assert.equal(
    stderr,
    `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@       WARNING: THE KEY OF THE HOST HAS CHANGED!         @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Someone may be impersonating the host (man-in-the-middle attack).
It is also possible that the host has a new key.
  host       HOST
  known      HOST-PIN (STATE/known_hosts:1)
  presented  NEW-PIN
No request was sent. Ask the administrator of the host for its pin (viaduct identity).
If it is the presented one, remove the known one and try again:
  viaduct known remove --state STATE HOST
viaduct: hop 1 (HOST) presented a key that is not the known one (STATE/known_hosts:1)
`,
  );
  assert.ok(after.node.log.every(({ name }) => name === undefined));
});

test('--pin: the right one needs no known_hosts, a wrong one is refused', async (t) => {
  const [origin, other] = [await host(t), await host(t)];
  const user = new User(t).knows({ HOST: origin, OTHER: other });
  const where = `${formatHop(origin.hop)}/a.txt`;
  assert.deepEqual(await user.get(where, '--pin', origin.pin), { code: 0, stdout: '', stderr: '' });
  assert.ok(!readdirSync(user.state).includes('known_hosts'));
  const { code, stderr } = await user.get(where, '--pin', other.pin);
  assert.equal(code, 60);
  assert.equal(
    stderr,
    'viaduct: hop 1 (HOST) presented a key with the pin HOST-PIN, expected OTHER-PIN (check the pin and the address; if both are right, another host answers)\n',
  );
});

test('the same private address behind two relays is two hosts', async (t) => {
  const [one, two, origin] = [await host(t), await host(t), await host(t)];
  const user = new User(t).knows({ ONE: one, TWO: two, HOST: origin });
  const through = (relay: Host): string => `${formatHop(relay.hop)}/@${formatHop(origin.hop)}/a.txt`;
  await user.get(through(one), '--accept-new');
  assert.equal(
    (await user.get(through(two))).stderr,
    'viaduct: hop 2 (HOST) presented an unknown key, known under another name (ONE/@HOST); if its pin is right, run: viaduct known add --state STATE TWO/@HOST HOST-PIN (or use --pin or --accept-new)\n',
  );
  await user.get(through(two), '--accept-new');
  assert.equal(known(user.knownHosts), 'ONE/@HOST HOST-PIN\nTWO/@HOST HOST-PIN\n');
});

test('ten first uses at once lose no line', async (t) => {
  const hosts = await Promise.all(Array.from({ length: 5 }, () => host(t)));
  const user = new User(t);
  const runs = [...hosts, ...hosts].map(({ hop }, index) =>
    user.get(`${formatHop(hop)}/a.txt`, '--accept-new', '-o', `file-${index}`),
  );
  for (const { code, stderr } of await Promise.all(runs)) assert.equal(code, 0, stderr);
  const lines = known(user.knownHosts).trimEnd().split('\n');
  assert.deepEqual(lines.toSorted(), hosts.map(({ hop, pin }) => `${formatHop(hop)} ${pin}`).toSorted());
  assert.deepEqual(readdirSync(user.state).toSorted(), ['client.pem', 'known_hosts']);
});

for (const [what, spoil, said] of [
  ['a folder', (path: string) => mkdirSync(path), /^viaduct: cannot read STATE\/known_hosts: /],
  [
    'half written',
    (path: string) => writeFileSync(path, '127.0.0.1:1 sha256//AAAA', { mode: 0o600 }),
    /^viaduct: cannot read STATE\/known_hosts: line 1 is not "NAME sha256\/\/PIN": .+; correct or remove the line\n$/,
  ],
  [
    'garbage',
    (path: string) => writeFileSync(path, Buffer.from([0, 255, 1, 10, 254]), { mode: 0o600 }),
    /^viaduct: cannot read STATE\/known_hosts: line 1 is not "NAME sha256\/\/PIN": .+; correct or remove the line\n$/,
  ],
] as const) {
  test(`known_hosts that is ${what} fails in one line, whatever the options, and is not touched`, async (t) => {
    const origin = await host(t);
    const user = new User(t).knows({ HOST: origin });
    const where = `${formatHop(origin.hop)}/a.txt`;
    mkdirSync(user.state, { mode: 0o700 });
    const path = join(user.state, 'known_hosts');
    spoil(path);
    const before = statSync(path, { bigint: true }).mtimeNs;
    for (const args of [[], ['--accept-new']]) {
      const { code, stderr } = await user.get(where, ...args);
      assert.match(stderr, said);
      assert.equal(code, 26);
    }
    assert.equal(statSync(path, { bigint: true }).mtimeNs, before);
    assert.equal((await user.get(where, '--pin', origin.pin)).code, 0, 'a pin needs no known_hosts');
  });
}
