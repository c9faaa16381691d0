import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { descriptorKinds } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawServer } from '../support/raw.js';

/** Over two relays: the limit of descriptors may be 20,000, and a node counts with seven for a connection. */
const RELAYS = 2;
const PAIRS = 2500;
const MOST_EACH = 24 * 1024;

/** What is idle: what the far end answers, and what a client sends. */
const KINDS = [
  {
    what: 'relayed pairs',
    answer: Buffer.alloc(1024),
    request: (hop: HostHop) => messageOf('x', [hop]),
  },
  {
    what: 'tunnels',
    answer:
      'HTTP/1.1 101 Switching Protocols\r\nViaduct: 1\r\nConnection: Upgrade\r\nUpgrade: viaduct\r\n\r\n',
    request: (hop: HostHop) =>
      `GET /@${formatHop(hop)}/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: viaduct\r\n\r\n`,
  },
];

for (const { what, answer, request } of KINDS) {
  test(
    `5,000 idle ${what}: no pipe is held, and each costs 24 KiB at most`,
    { skip: withoutCalls },
    async (t) => {
      const { hop } = await rawServer(t, (socket) => void socket.resume().write(answer));
      const args = ['--timeout', '3600', '--stall-timeout', '3600', '--pump', 'splice'];
      const costs: number[] = [];
      for (let number = 0; number < RELAYS; number += 1) {
        const relay = await NodeProcess.start(t, { args: [...args, '--max-connections', '2600'] });
        let clients = 0;
        const open = async (): Promise<void> => {
          // From several addresses: one client has a part of the connections only.
          clients += 1;
          const client = connect({ ...relay.hop, localAddress: `127.0.0.${1 + (clients % 8)}` });
          client.on('error', () => {});
          t.after(() => client.destroy());
          client.write(request(hop));
          await once(client, 'data');
        };
        for (let pair = 0; pair < 50; pair += 1) await open();
        const [pipes, { resident }] = [descriptorKinds(relay.pid)['pipe'], relay.memory];
        for (let pair = 0; pair < PAIRS; pair += 50) await Promise.all(Array.from({ length: 50 }, open));
        assert.equal(descriptorKinds(relay.pid)['pipe'], pipes);
        costs.push((relay.memory.resident - resident) / PAIRS);
      }
      t.diagnostic(`${costs.map((bytes) => Math.round(bytes / 1024)).join(', ')} KiB for each`);
      for (const bytes of costs) assert.ok(bytes <= MOST_EACH, `${bytes} bytes for each`);
    },
  );
}
