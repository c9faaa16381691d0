import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { pinOfCertificate } from '#src/identity/pin.js';
import { havePeer } from '../support/peers.js';
import { type ClientRun, NodeProcess, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

/** Certificates of an authority and of a host, made by openssl. */
class Authority {
  readonly folder: string;

  constructor(t: TestContext) {
    this.folder = tempFolder(t);
    this.#openssl(
      'req -x509 -nodes -subj /CN=authority -keyout ca.key -out ca.pem -days 10 -newkey rsa:2048',
    );
  }

  #openssl(command: string): void {
    execFileSync('openssl', command.split(' '), { cwd: this.folder, stdio: 'ignore' });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Files `NAME.key` and `NAME.pem` for a host. @param from, until UTC, YYMMDDhhmmssZ. @default now, for ten days */
  issue(name: string, host: string, validity = '-days 10'): void {
    const kind = /^[\d.]+$/.test(host) ? 'IP' : 'DNS';
    writeFileSync(this.path('ext'), `subjectAltName=${kind}:${host}\n`);
    this.#openssl(`req -nodes -subj /CN=${host} -keyout ${name}.key -out ${name}.csr -newkey rsa:2048`);
    const signing = `-in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext -out ${name}.pem`;
    this.#openssl(`x509 -req ${signing} ${validity}`);
  }
}

interface Own {
  readonly node: NodeProcess;
  readonly pin: string;
  readonly get: (...args: readonly string[]) => Promise<ClientRun>;
}

async function nodeWith(t: TestContext, authority: Authority, name: string): Promise<Own> {
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const [key, cert] = [authority.path(`${name}.key`), authority.path(`${name}.pem`)];
  const node = await NodeProcess.start(t, { root, args: ['--key', key, '--cert', cert] });
  const state = tempFolder(t);
  return {
    node,
    pin: pinOfCertificate(readFileSync(cert)),
    get: (...args) =>
      runViaduct(t, ['get', `${formatHop(node.hop)}/a.txt`, '-q', '--state', state, ...args], {
        cwd: tempFolder(t),
      }),
  };
}

test('an RSA key whose chain leads to an authority: --ca, or the pin', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const authority = new Authority(t);
  authority.issue('host', '127.0.0.1');
  const { get, pin, node } = await nodeWith(t, authority, 'host');
  const ca = authority.path('ca.pem');
  assert.deepEqual(await get('--ca', ca), { code: 0, stdout: '', stderr: '' });
  assert.deepEqual(await get('--pin', pin), { code: 0, stdout: '', stderr: '' });

  const unknown = await get('--ca', 'system');
  assert.equal(unknown.code, 60, unknown.stderr);
  assert.match(unknown.stderr, /^viaduct: hop 1 \(127\.0\.0\.1:\d+\) has no trusted certificate: .+\n$/);
  assert.ok(
    node.log.filter(({ name }) => name !== undefined).length === 2,
    'nothing is requested of a host without a trusted certificate',
  );
  const wrong = await get('--ca', authority.path('host.key'));
  assert.deepEqual([wrong.code, /has no certificate in PEM/.test(wrong.stderr)], [2, true]);
});

for (const [what, host, validity, said, warned] of [
  ['for another name', 'h2.example', '-days 10', /IP: 127\.0\.0\.1 is not in the cert/, undefined],
  [
    'that expired',
    '127.0.0.1',
    '-days -1',
    /certificate has expired/,
    /expired on .+; clients that know the pin accept it/,
  ],
] as const) {
  test(`a certificate ${what}: --ca refuses it, the pin does not`, async (t) => {
    if (!havePeer(t, 'openssl')) return;
    const authority = new Authority(t);
    authority.issue('host', host, validity);
    const { get, pin, node } = await nodeWith(t, authority, 'host');
    const refused = await get('--ca', authority.path('ca.pem'));
    assert.equal(refused.code, 60);
    assert.match(refused.stderr, said);
    assert.equal((await get('--pin', pin)).code, 0);
    const warnings = node.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    if (warned === undefined)
      assert.ok(
        warnings.every((msg) => !msg.includes('certificate in')),
        warnings.join(),
      );
    else assert.match(warnings[0] ?? '', warned);
  });
}

test('SIGHUP: key and certificate are read again; if they cannot be used, the present ones stay', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const authority = new Authority(t);
  for (const name of ['host', 'next']) authority.issue(name, '127.0.0.1');
  const { get, pin, node } = await nodeWith(t, authority, 'host');
  assert.equal((await get('--pin', pin)).code, 0);

  writeFileSync(authority.path('host.key'), 'no key');
  node.process.kill('SIGHUP');
  const failure = await node.until(({ log }) => log.find(({ level }) => level === 'error'));
  assert.match(
    failure.msg,
    /^the present key stays in use: cannot use .*host\.key: it has no private key in PEM form$/,
  );
  assert.equal((await get('--pin', pin)).code, 0);

  for (const kind of ['key', 'pem'])
    copyFileSync(authority.path(`next.${kind}`), authority.path(`host.${kind}`));
  node.process.kill('SIGHUP');
  await node.until(({ log }) => log.some(({ msg }) => msg === 'key and certificate read again'));
  assert.equal((await get('--pin', pin)).code, 60);
  assert.equal((await get('--pin', pinOfCertificate(readFileSync(authority.path('next.pem'))))).code, 0);
});

test('a key that cannot be used is one line and exit code 58 at the start', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'key.pem'), 'no key', { mode: 0o600 });
  const run = await runViaduct(t, ['server', '0', '--key', 'key.pem'], { cwd: folder });
  assert.equal(run.code, 58);
  assert.equal(run.stderr, 'viaduct: cannot use key.pem: it has no private key in PEM form\n');
  const alone = await runViaduct(t, ['server', '0', '--cert', 'key.pem'], { cwd: folder });
  assert.deepEqual([alone.code, alone.stderr.split('\n').length], [2, 2]);
});
