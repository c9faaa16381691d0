import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { startNode } from '../../node/node.js';
import type { ClientJudgement } from '../../node/access/policy.js';
import type { PumpName } from '../../pump/choose-pump.js';
import { formatHop } from '../../route/hop.js';
import { LineWriter } from '../terminal/lines.js';
import { type LogOptions, createLogger } from './log.js';
import { portFrom } from './prompt.js';
import { createReporter } from './report.js';

/** As the command line gives them; times in ms. */
export interface ServerOptions extends LogOptions {
  readonly root: string;
  readonly host?: string;
  readonly dotfiles: boolean;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly stallTimeout: number;
  readonly grace: number;
  readonly maxHops: number;
  readonly maxConnections: number;
  readonly backlog: number;
  readonly allowHop?: readonly string[];
  readonly clients: ClientJudgement;
  readonly pump: PumpName | 'auto';
}

/** Runs a node until a signal ends it. Returns the exit code. */
export async function runServer(portArgument: string | undefined, options: ServerOptions): Promise<number> {
  keepHeapSmall();
  // The heap of a new thread sets the first flag back (V8, Heap::ConfigureHeap).
  process.on('worker', (worker) => worker.once('online', keepHeapSmall).once('exit', keepHeapSmall));
  const log = await createLogger(options);
  const node = await startNode({
    port: await portFrom(portArgument),
    host: options.host,
    root: options.root,
    dotfiles: options.dotfiles,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    stallTimeoutMs: options.stallTimeout,
    maxHops: options.maxHops,
    maxConnections: options.maxConnections,
    backlog: options.backlog,
    allowHops: options.allowHop,
    clients: options.clients,
    pump: options.pump === 'auto' ? undefined : options.pump,
    onEvent: createReporter(log, print),
  });
  const signals = stopSignals();
  print('the server is ready');
  const { address, root, maxConnections, resetOnDeath, pump, pumpReason } = node;
  const facts = { address: formatHop(address), root, maxConnections, resetOnDeath, pump, pumpReason };
  log.info(facts, 'listening');
  if (maxConnections < options.maxConnections) {
    log.warn(
      { maxConnections, asked: options.maxConnections },
      'fewer connections: too few file descriptors (ulimit -n)',
    );
  }
  const signal = await signals.first;
  log.info({ signal, graceSeconds: options.grace / 1000 }, 'stopping');
  let again: NodeJS.Signals | undefined;
  void signals.second.then((second) => {
    again = second;
    return node.close(0);
  });
  await node.close(options.grace);
  return again === undefined ? 0 : 128 + constants.signals[again];
}

/**
 * V8 lets its space for new objects grow to 48 MiB under load, and keeps it. A node holds thousands of idle
 * connections, at 30 KiB each with it and 21 without; small replies are 2 to 4 % slower (measured). What lives
 * longer is sooner taken for old, so that the old objects are looked through when they have grown by half.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
}

const lines = new LineWriter(process.stdout, (count) => `${count} lines dropped: nobody read them\n`);

function print(line: string): void {
  lines.write(`${line}\n`);
}

/**
 * The first signal lets transfers finish, the second ends them at once. Both are listened for from the
 * start: with no listener in between, a signal would end the process and no transfer would be reset.
 */
function stopSignals(): Record<'first' | 'second', Promise<NodeJS.Signals>> {
  const waiting: ((signal: NodeJS.Signals) => void)[] = [];
  const next = (): Promise<NodeJS.Signals> => new Promise((resolve) => waiting.push(resolve));
  const heard = (signal: NodeJS.Signals): void => waiting.shift()?.(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard);
  return { first: next(), second: next() };
}
