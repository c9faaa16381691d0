import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import { withoutCalls } from '../support/calls.js';
import { fetchBytes } from '../support/fetch.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { randomFile, tempFolder } from '../support/temp.js';

const WITHOUT_KOFFI = ['--import', new URL('../support/hide-koffi.js', import.meta.url).href];

function chosen({ log }: NodeProcess) {
  const listening = log.find(({ msg }) => msg === 'listening');
  return { pump: listening?.['pump'], reason: listening?.['pumpReason'] };
}

describe('server --pump', { skip: withoutCalls }, () => {
  for (const [args, pump] of [
    [[], 'splice'],
    [['--pump', 'auto'], 'splice'],
    [['--pump', 'splice'], 'splice'],
    [['--pump', 'portable'], 'portable'],
  ] as const) {
    test(`${args.join(' ') || 'no option'}: the log shows ${pump}, and a large file arrives`, async (t) => {
      const root = tempFolder(t);
      const file = randomFile(root, 'file', 8 * OFFLOAD_BYTES);
      const [relay, origin] = await Promise.all([
        NodeProcess.start(t, { args }),
        NodeProcess.start(t, { args, root }),
      ]);
      assert.deepEqual(chosen(relay), { pump, reason: undefined });
      const got = await fetchBytes('file', [relay.hop, origin.hop]);
      assert.ok(got.equals(file));
    });
  }
});

test('server --pump auto without koffi: portable, and the log shows why', async (t) => {
  const node = await NodeProcess.start(t, { nodeArgs: WITHOUT_KOFFI });
  const { pump, reason } = chosen(node);
  assert.equal(pump, 'portable');
  assert.match(String(reason), /^the optional package koffi is not installed$/);
});

test('server --pump portable without koffi: no reason in the log, since nothing is missing', async (t) => {
  const node = await NodeProcess.start(t, { nodeArgs: WITHOUT_KOFFI, args: ['--pump', 'portable'] });
  assert.deepEqual(chosen(node), { pump: 'portable', reason: undefined });
});

test('server --pump splice without koffi: one line with the reason, exit code 2', async (t) => {
  const run = await runViaduct(t, ['server', '0', '--pump', 'splice'], {
    env: { ...process.env, NODE_OPTIONS: WITHOUT_KOFFI.join(' ') },
  });
  assert.deepEqual(run, {
    code: 2,
    stdout: '',
    stderr:
      'viaduct: there is no splice pump here: the optional package koffi is not installed (see viaduct server --help)\n',
  });
});

test('server --pump with an unknown word: one line with the choices, exit code 2', async (t) => {
  const run = await runViaduct(t, ['server', '0', '--pump', 'fast']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /^[^\n]*--pump[^\n]*fast[^\n]*(auto|splice|portable)[^\n]*\n$/);
});
