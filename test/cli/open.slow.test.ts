import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { ask } from '../support/gateway.js';
import { PINNED } from '../support/identity.js';
import { Child, PROGRAM, eventsOf, runViaduct } from '../support/processes.js';
import { RestartableNode, freePort } from '../support/restartable.js';
import { testNode } from '../support/nodes.js';
import { sha256, tempFolder } from '../support/temp.js';

const TEXT = 'a note\n';

async function notesOver(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'notes'));
  writeFileSync(join(root, 'notes', 'note.txt'), TEXT);
  const [relay, origin] = await Promise.all([RestartableNode.start(t, tempFolder(t)), testNode(t, { root })]);
  return { relay, where: `${formatHop(relay.hop)}/@${formatHop(origin.hop)}/notes/` };
}

/** Starts `viaduct open`, without a display unless `env` has one. */
function startOpen(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const { DISPLAY: _x, WAYLAND_DISPLAY: _wayland, WSL_DISTRO_NAME: _wsl, ...others } = process.env;
  const child = new Child(t, process.execPath, [PROGRAM, 'open', ...args, ...PINNED], {
    env: { ...others, ...env },
  });
  child.process.stdin?.end();
  return child;
}

function urlFrom(child: Child): Promise<string> {
  return child.until(({ stdout }) => /^(http:\S+)\n/.exec(stdout)?.[1]);
}

function secretOf(url: string): string {
  return new URL(url).pathname.split('/')[1] ?? assert.fail();
}

test('prints the URL, answers, reports the route, and ends at Ctrl-C', async (t) => {
  const { relay, where } = await notesOver(t);
  const open = startOpen(t, ['-v', where]);
  const url = await urlFrom(open);
  assert.equal(open.stdout, `${url}\n`, 'nothing but the URL');
  await open.until(({ stderr }) => stderr.includes('Ctrl-C ends it\n'));
  const greeting = open.stderr;
  assert.match(greeting, /^viaduct: state of the route: http:\/\/127\.0\.0\.1:\d+\/\S+\/\.viaduct\/open\/$/m);
  assert.equal((await ask(`${url}note.txt`)).body.toString(), TEXT);
  await open.until(({ stderr }) => stderr.includes('viaduct: /notes/note.txt  7 B  verified\n'));
  await relay.kill();
  assert.equal((await ask(`${url}note.txt`)).status, 502);
  const hop = `hop 1 (${formatHop(relay.hop)}) refused the connection (is a node running there?)`;
  await open.until(({ stderr }) => stderr.includes(`viaduct: the route does not work: ${hop}\n`));
  await relay.start();
  await open.until(({ stderr }) => stderr.includes('viaduct: the route works again\n'));
  assert.equal((await ask(`${url}note.txt`)).body.toString(), TEXT);
  assert.ok(!open.stderr.slice(greeting.length).includes(secretOf(url)), 'no secret in any further line');
  open.process.kill('SIGINT');
  assert.equal(await open.ended, 0);
});

test('--json: events of every request, without the secret', async (t) => {
  const { where } = await notesOver(t);
  const open = startOpen(t, ['--json', where]);
  const opened = await open.until((child) => eventsOf(child).find(({ event }) => event === 'open'));
  const url = String(opened['url']);
  await ask(`${url}note.txt`);
  await ask(`${url}missing`);
  await open.until((child) => eventsOf(child).find(({ event }) => event === 'failed'));
  const [, reply, complete, failed] = eventsOf(open);
  const { traceId, ...replied } = reply ?? assert.fail();
  assert.match(String(traceId), /^[\da-f]{32}$/);
  const note = { id: 1, path: '/notes/note.txt' };
  assert.deepEqual(replied, { event: 'reply', ...note, method: 'GET', status: 200, size: 7 });
  assert.deepEqual(complete, { event: 'complete', ...note, bytes: 7, sha256: sha256(Buffer.from(TEXT)) });
  const { message, hopAddress, ...rest } = failed ?? assert.fail();
  assert.match(String(message), /^hop 2 \(127\.0\.0\.1:\d+\): there is no file "notes\/missing"$/);
  assert.equal(hopAddress, where.split('@')[1]?.split('/')[0]);
  const missing = { id: 2, path: '/notes/missing', bytes: 0 };
  assert.deepEqual(rest, { event: 'failed', ...missing, code: 'NOT_FOUND', hopNumber: 2 });
  assert.ok(!open.stdout.split('\n').slice(1).join('\n').includes(secretOf(url)));
  assert.equal(open.stderr, '');
  open.process.kill('SIGTERM');
  assert.equal(await open.ended, 0);
});

test('opens the browser with a URL that is of no use to others', async (t) => {
  const { where } = await notesOver(t);
  const folder = tempFolder(t);
  const seen = join(folder, 'seen');
  // As a desktop has it, for xdg-open: it gets the URL as an argument, which other users can see.
  const launcher = `#!/bin/sh\n[ "$1" = open ] || exit 0\necho "$2" > ${seen}.new\nmv ${seen}.new ${seen}\n`;
  writeFileSync(join(folder, 'gio'), launcher);
  chmodSync(join(folder, 'gio'), 0o755);
  const desktop = {
    PATH: `${folder}:${process.env['PATH']}`,
    DISPLAY: ':99',
    XDG_CURRENT_DESKTOP: 'GNOME',
  };
  const open = startOpen(t, ['-v', where], desktop);
  const url = await urlFrom(open);
  while (!existsSync(seen)) await new Promise(setImmediate);
  const ticket = readFileSync(seen, 'utf8').trim();
  assert.ok(!ticket.includes(secretOf(url)));
  const { status, headers } = await ask(ticket);
  assert.deepEqual([status, headers['location']], [303, new URL(url).pathname]);
  assert.equal((await ask(ticket)).status, 404, 'once');

  const without = startOpen(t, ['--no-browser', where], desktop);
  await urlFrom(without);
  without.process.kill('SIGINT');
  await without.ended;
  assert.equal(readFileSync(seen, 'utf8').trim(), ticket, 'not called again');
});

test('--port, and what cannot be opened: one line and the exit code', async (t) => {
  const { where, relay } = await notesOver(t);
  const port = await freePort();
  const open = startOpen(t, ['--port', String(port), where]);
  assert.equal(new URL(await urlFrom(open)).port, String(port));
  const fails = async (args: readonly string[], code: number, message: RegExp): Promise<void> => {
    const run = await runViaduct(t, ['open', '--no-browser', ...args]);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
    assert.deepEqual([run.stdout, run.stderr.split('\n').length], ['', 2]);
  };
  await fails(['--port', String(port), where, ...PINNED], 3, /^viaduct: cannot listen on 127\.0\.0\.1 port/);
  await fails([`${where}missing`, ...PINNED], 22, /^viaduct: hop 2 \([^)]+\): there is no file/);
  await fails([where], 60, /^viaduct: hop 2 \([^)]+\) presented an unknown key/);
  await fails(['--port', '99999', where], 2, /^viaduct: .*Expected a port from 0 to 65535/);
  await fails([], 2, /^viaduct: no location given/);
  await relay.kill();
  await fails([where, ...PINNED], 7, /^viaduct: hop 1 \([^)]+\) refused the connection/);
});
