import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { startNode } from '../../node/node.js';
import type { ClientJudgement } from '../../node/access/policy.js';
import type { PumpName } from '../../pump/choose-pump.js';
import { MAX_TIMER_MS } from '../../defaults.js';
import { formatHop } from '../../route/hop.js';
import type { CommandContext } from '../context.js';
import { killSelf } from '../terminal/interruption.js';
import { LineWriter } from '../terminal/lines.js';
import { type IdentityOptions, nodeIdentity, reloadIdentity, secretPaths } from './identity.js';
import { giveMemoryBack } from './give-back.js';
import { type LogOptions, createLogger } from './log.js';
import { portFrom } from './prompt.js';
import { createReporter } from './report.js';

/** Parsed options; times in ms. */
export interface ServerOptions extends LogOptions, IdentityOptions {
  readonly root: string;
  readonly host?: string;
  readonly dotfiles: boolean;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly stallTimeout: number;
  readonly pauseTimeout: number;
  readonly grace: number;
  readonly maxHops: number;
  readonly maxConnections: number;
  readonly digestLimit?: number;
  readonly backlog: number;
  readonly allowHop?: readonly string[];
  readonly clients: ClientJudgement;
  readonly pump: PumpName | 'auto';
  readonly tlsOnly?: true;
  readonly askClients?: true;
}

/** Time to end after a second signal, and after the grace period for threads that hash, in ms. A file system that hangs keeps them. */
const END_MS = 900;
const THREADS_END_MS = 6000;

/** Runs a node until a signal stops it. Returns the exit code. */
export async function runServer(
  portArgument: string | undefined,
  options: ServerOptions,
  context: CommandContext,
): Promise<number> {
  keepHeapSmall();
  giveMemoryBack();
  // Creating the heap of a new thread resets the first flag (V8, Heap::ConfigureHeap).
  process.on('worker', (worker) => worker.once('online', keepHeapSmall).once('exit', keepHeapSmall));
  const log = await createLogger(options, context.stderr);
  const lines = new LineWriter(
    context.stdout,
    (count) => `${count} lines dropped: the output was not read\n`,
  );
  const print = (line: string): void => lines.write(`${line}\n`);
  const identity = await nodeIdentity(options, log);
  const node = await startNode({
    port: await portFrom(portArgument, context),
    host: options.host,
    root: options.root,
    dotfiles: options.dotfiles,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    stallTimeoutMs: options.stallTimeout,
    pauseTimeoutMs: options.pauseTimeout,
    maxHops: options.maxHops,
    maxConnections: options.maxConnections,
    digestLimitBytes: options.digestLimit,
    backlog: options.backlog,
    allowHops: options.allowHop,
    clients: options.clients,
    pump: options.pump === 'auto' ? undefined : options.pump,
    stages: log.isLevelEnabled('trace'),
    identity,
    secrets: secretPaths(options),
    tlsOnly: options.tlsOnly,
    askClients: options.askClients,
    onEvent: createReporter(log, print),
  });
  const hasTerminal = [context.stdin, context.stdout, context.stderr].some(({ isTTY }) => isTTY);
  const signals = stopSignals(hasTerminal, (signal) => {
    if (signal === 'SIGHUP' && options.key !== undefined)
      void reloadIdentity(options, log, (next) => node.useIdentity(next));
    else log.info({ signal }, 'signal ignored');
  });
  print('the server is ready');
  const { address, root, maxConnections, resetOnDeath, pump, pumpReason } = node;
  const facts = {
    address: formatHop(address),
    pin: identity.pin,
    root,
    maxConnections,
    resetOnDeath,
    pump,
    pumpReason,
  };
  log.info(facts, 'listening');
  if (maxConnections < options.maxConnections) {
    log.warn(
      { maxConnections, asked: options.maxConnections },
      'connection limit lowered: too few file descriptors (ulimit -n)',
    );
  }
  const signal = await signals.first;
  log.info({ signal, graceSeconds: options.grace / 1000 }, 'stopping');
  let secondSignal: NodeJS.Signals | undefined;
  const isClosed = node.close(options.grace);
  void signals.second.then((second) => {
    secondSignal = second;
    setTimeout(() => killSelf(second), END_MS).unref();
    return node.close(0);
  });
  setTimeout(() => killSelf(signal), Math.min(options.grace + THREADS_END_MS, MAX_TIMER_MS)).unref();
  await isClosed;
  return secondSignal === undefined ? 0 : 128 + constants.signals[secondSignal];
}

/**
 * Under load V8 grows its space for new objects to 48 MiB and keeps it. Without that growth, each of thousands of
 * idle connections takes 21 KiB instead of 30, and small replies are 2 to 4 % slower (measured). Objects then
 * become old sooner, so old objects are collected as soon as they have grown by half.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
}

/**
 * A closing terminal sends SIGHUP, which stops the node. Without a terminal SIGHUP asks a daemon to read its files
 * again: the key and certificate that the user named, if he did.
 *
 * The first signal lets transfers finish, the second resets them at once. The listeners stay from the start to
 * the end: without one, a signal would end the process before transfers are reset.
 */
function stopSignals(
  hasTerminal: boolean,
  ignore: (signal: NodeJS.Signals) => void,
): Record<'first' | 'second', Promise<NodeJS.Signals>> {
  const waiting: ((signal: NodeJS.Signals) => void)[] = [];
  const next = (): Promise<NodeJS.Signals> => new Promise((resolve) => waiting.push(resolve));
  const onSignal = (signal: NodeJS.Signals): void => waiting.shift()?.(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  process.on('SIGHUP', hasTerminal ? onSignal : ignore);
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, ignore);
  return { first: next(), second: next() };
}
