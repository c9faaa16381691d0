import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { Child } from './processes.js';
import { rawConnect, rawServer } from './raw.js';

/** Listens and then never accepts, as its thread sleeps. Node takes a backlog of 0 for 511, so 1 it is. */
const DEAF_SERVER = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, server.address().port + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;
/** The kernel queues one connection more than the backlog. */
const PLACES = 2;

/** A hop at which a dial hangs: a listener whose backlog is full (Linux drops the SYN). */
export async function blackHole(t: TestContext): Promise<HostHop> {
  const child = new Child(t, process.execPath, ['-e', DEAF_SERVER]);
  const port = await child.until(({ stdout }) => stdout.endsWith('\n') && Number(stdout));
  const hop = { host: '127.0.0.1', port };
  for (let place = 0; place < PLACES; place += 1) await rawConnect(t, hop);
  return hop;
}

/** A hop that refuses: the port is the test's own, held by an outgoing connection, so nobody can listen there. */
export async function refusingHop(t: TestContext): Promise<HostHop> {
  const { hop } = await rawServer(t, () => {});
  const { localPort = 0 } = await rawConnect(t, hop);
  return { host: '127.0.0.1', port: localPort };
}
