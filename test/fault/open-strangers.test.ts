import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, testGateway } from '../support/gateway.js';
import { testNode } from '../support/nodes.js';
import { exchange } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

const SECRET = 'only for those who know the URL';

async function openedFile(t: TestContext) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file.txt'), SECRET);
  const { hop } = await testNode(t, { root });
  const gateway = await testGateway(t, { route: [hop], path: '/file.txt' });
  const { host, hostname, port, origin } = new URL(gateway.url);
  return { gateway, host, hop: { host: hostname, port: Number(port) }, origin };
}

/** A page of another site, as browsers describe it. */
const fetching = (site: string, mode: string, dest: string): Record<string, string> => ({
  'Sec-Fetch-Site': site,
  'Sec-Fetch-Mode': mode,
  'Sec-Fetch-Dest': dest,
});

test('those who are not to read get a 404 that is the same for all', async (t) => {
  const { gateway, host, origin } = await openedFile(t);
  const { url, statusUrl } = gateway;
  const port = host.split(':')[1];
  const wrongSecret = url.replace(/\/[\w-]{22}\//, `/${'A'.repeat(22)}/`);
  const attempts: [string, string, Record<string, string>][] = [
    ['no secret', `${origin}/`, {}],
    ['a wrong secret', wrongSecret, {}],
    ['a wrong secret of a file that is not there', `${wrongSecret}x`, {}],
    ['part of the secret', url.replace(/(\/[\w-]{21})[\w-]\//, '$1/'), {}],
    ['localhost', url, { Host: `localhost:${port}` }],
    ['a rebound name', url, { Host: `evil.example:${port}` }],
    ['no port', url, { Host: '127.0.0.1' }],
    ['another origin', url, { Origin: 'http://evil.example' }],
    ['an opaque origin', url, { Origin: 'null' }],
    ['fetch of another site', url, fetching('cross-site', 'cors', 'empty')],
    ['fetch without CORS', url, fetching('cross-site', 'no-cors', 'empty')],
    ['fetch of another port of this host', url, fetching('same-site', 'cors', 'empty')],
    ['a frame', url, fetching('cross-site', 'navigate', 'iframe')],
    ['an object', url, fetching('cross-site', 'navigate', 'object')],
    ['a script', url, fetching('cross-site', 'no-cors', 'script')],
    ['a style sheet', url, fetching('cross-site', 'no-cors', 'style')],
    ['a service worker', url, { 'Service-Worker': 'script' }],
    ['the status page in a frame', statusUrl, fetching('cross-site', 'navigate', 'iframe')],
    ['its events from elsewhere', `${statusUrl}events`, fetching('cross-site', 'cors', 'empty')],
  ];
  const replies = new Set<string>();
  for (const [what, target, headers] of attempts) {
    const { status, headers: got, body } = await ask(target, { headers });
    assert.equal(status, 404, what);
    assert.ok(!body.includes(SECRET), what);
    const { date: _date, ...same } = got;
    replies.add(JSON.stringify([same, body.toString()]));
  }
  assert.equal(replies.size, 1, [...replies].join('\n'));
  assert.equal(gateway.events.length, 0, 'they are not reported as requests');
});

test('those who know the URL read: programs, the address bar, links, pages of the gateway', async (t) => {
  const { gateway, origin } = await openedFile(t);
  const ways: [string, Record<string, string>][] = [
    ['a program', {}],
    ['the address bar', fetching('none', 'navigate', 'document')],
    ['a link of a sandboxed page', fetching('cross-site', 'navigate', 'document')],
    ['a download from a sandboxed page', fetching('cross-site', 'navigate', 'empty')],
    ['a picture in a sandboxed page', fetching('cross-site', 'no-cors', 'image')],
    ['a page of the gateway', { ...fetching('same-origin', 'cors', 'empty'), Origin: origin }],
  ];
  for (const [what, headers] of ways) {
    const { status, body, headers: got } = await ask(gateway.url, { headers });
    assert.equal(status, 200, what);
    assert.equal(body.toString(), SECRET);
    assert.equal(got['access-control-allow-origin'], undefined);
  }
});

test('other methods, two Hosts, and what is no path', async (t) => {
  const { gateway, host, hop } = await openedFile(t);
  const { pathname } = new URL(gateway.url);
  const post = await ask(gateway.url, { method: 'POST' });
  assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD']);
  const statusOf = async (lines: readonly string[]): Promise<string> => {
    const { bytes } = await exchange(t, hop, [...lines, 'Connection: close', '', ''].join('\r\n'));
    return bytes.toString('latin1').split(' ', 2)[1] ?? '';
  };
  assert.equal(await statusOf([`GET ${pathname} HTTP/1.1`, `Host: ${host}`]), '200');
  assert.equal(await statusOf([`GET ${pathname} HTTP/1.1`, `Host: ${host}`, `Host: ${host}`]), '404');
  assert.equal(await statusOf([`GET ${pathname} HTTP/1.1`, `Host: ${host}`, 'Host: evil.example']), '404');
  assert.equal(await statusOf([`GET http://${host}${pathname} HTTP/1.1`, `Host: ${host}`]), '404');
});

test('a ticket leads to the URL once', async (t) => {
  const { gateway } = await openedFile(t);
  const ticket = gateway.ticketUrl();
  assert.ok(!ticket.includes(new URL(gateway.url).pathname.split('/')[1] ?? assert.fail()));
  const first = await ask(ticket);
  assert.deepEqual([first.status, first.headers['location']], [303, new URL(gateway.url).pathname]);
  assert.equal((await ask(ticket)).status, 404);
  assert.notEqual(gateway.ticketUrl(), ticket);
});

test('a ticket is of no use to another user, and stays valid', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can be another user too');
  const { gateway } = await openedFile(t);
  const ticket = gateway.ticketUrl();
  const { hostname, port } = new URL(ticket);
  const ways = {
    'as the browser does': [],
    'from another address of this machine': ['--interface', '127.0.0.2'],
    'from a socket for IPv6': ['--connect-to', `${hostname}:${port}:[::ffff:127.0.0.1]:${port}`],
  };
  for (const [way, args] of Object.entries(ways))
    assert.equal(await statusForNobody(ticket, args), '404', way);
  assert.equal((await ask(ticket)).status, 303);
});

/** What another user gets. */
function statusForNobody(url: string, args: readonly string[]): Promise<string> {
  const all = ['-q', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--noproxy', '*', ...args, url];
  return new Promise((resolve, reject) => {
    const ended = (error: Error | null, stdout: string): void => (error ? reject(error) : resolve(stdout));
    execFile('curl', all, { uid: 65_534, gid: 65_534 }, ended);
  });
}

test('nothing answers once it is closed', async (t) => {
  const { gateway } = await openedFile(t);
  assert.equal((await ask(gateway.url)).status, 200);
  await gateway.close();
  await assert.rejects(ask(gateway.url), { code: 'ECONNREFUSED' });
});
