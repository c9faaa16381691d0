import { constants } from 'node:os';
import { startNode } from '../../node/node.js';
import type { AddressClass } from '../../node/access/address.js';
import type { SharedFolder } from '../../node/access/readers.js';
import type { ClientJudgement } from '../../node/access/policy.js';
import type { PumpName } from '../../pump/choose-pump.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import { MAX_TIMER_MS } from '../../defaults.js';
import { formatHop } from '../../route/hop.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { killSelf } from '../terminal/interruption.js';
import { LineWriter } from '../terminal/lines.js';
import { type AccessOptions, accessFrom } from './access.js';
import { type IdentityOptions, nodeIdentity, reloadIdentity, secretPaths } from './identity.js';
import { giveMemoryBack } from './give-back.js';
import { type LogOptions, createLogger } from './log.js';
import { portFrom } from './prompt.js';
import { type ParkOptions, checkParkOptions, parkAsTold, parkForFrom, reloadParkFor } from './park.js';
import { proxyFrom } from '../proxy.js';
import { createReporter } from './report.js';
import { SmallHeap } from './small-heap.js';
import { formatProxy } from '../../proxy/config.js';

/** Parsed options; times in ms. */
export interface ServerOptions extends LogOptions, IdentityOptions, ParkOptions, AccessOptions {
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
  readonly congestion?: string;
  /** False with `--no-speed-test`. */
  readonly speedTest: boolean;
  readonly allowHop?: readonly string[];
  readonly denyHop?: readonly string[];
  readonly relayFor?: readonly string[];
  /** False with `--no-relay`. */
  readonly relay: boolean;
  readonly clients: ClientJudgement;
  readonly hostName?: readonly string[];
  readonly pump: PumpName | 'auto';
  readonly tlsOnly?: true;
  readonly askClients?: true;
  /** `any`, `none`, or a file. */
  readonly parkFor: string;
  readonly parkClients: AddressClass;
  readonly maxParked: number;
  readonly maxParkedPerClient: number;
  readonly parkReady: number;
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
  checkParkOptions(options, portArgument);
  const heap = new SmallHeap();
  giveMemoryBack();
  const log = await createLogger(options, context.stderr);
  const lines = new LineWriter(
    context.stdout,
    (count) => `${count} lines dropped: the output was not read\n`,
  );
  const print = (line: string): void => lines.write(`${line}\n`);
  const report = createReporter(log, print);
  let identity = await nodeIdentity(options, log);
  const proxy = options.proxy === 'none' ? undefined : options.proxy;
  const parkProxy = options.park && proxyFrom(options);
  const node = await startNode({
    port: options.parkOnly ? undefined : await portFrom(portArgument, context),
    host: options.host,
    ...accessFrom(options),
    dotfiles: options.dotfiles,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    stallTimeoutMs: options.stallTimeout,
    pauseTimeoutMs: options.pauseTimeout,
    maxHops: options.maxHops,
    maxConnections: options.maxConnections,
    digestLimitBytes: options.digestLimit,
    backlog: options.backlog,
    congestion: options.congestion,
    speedTest: options.speedTest,
    allowHops: options.allowHop,
    denyHops: options.denyHop,
    relayFor: options.relay ? options.relayFor : ['none'],
    clients: options.clients,
    hostNames: options.hostName,
    proxy,
    pump: options.pump === 'auto' ? undefined : options.pump,
    stages: log.isLevelEnabled('trace'),
    identity,
    secrets: secretPaths(options),
    tlsOnly: options.tlsOnly,
    askClients: options.askClients,
    parkFor: await parkForFrom(options.parkFor),
    parkClients: options.parkClients,
    maxParked: options.maxParked,
    maxParkedPerClient: options.maxParkedPerClient,
    parkReady: options.parkReady,
    stateFolder: options.parkFor === 'none' ? undefined : stateFolderPath(options.state),
    onEvent: (event) => {
      if (event.type === 'request') heap.look();
      report(event);
    },
  });
  const readAgain = async (): Promise<void> => {
    if (options.key !== undefined)
      await reloadIdentity(options, log, async (next) => {
        await node.useIdentity(next);
        identity = next;
      });
    if (isFile(options.parkFor))
      await reloadParkFor(options.parkFor, log, (parkFor) => node.parkFor(parkFor));
  };
  const hasTerminal = [context.stdin, context.stdout, context.stderr].some(({ isTTY }) => isTTY);
  const signals = stopSignals(hasTerminal, (signal) => {
    if (signal === 'SIGHUP' && reads(options)) void readAgain();
    else log.info({ signal }, 'signal ignored');
  });
  print('the server is ready');
  const { address, access, root, shares, relays, maxConnections, resetOnDeath, pump, pumpReason } = node;
  const facts = {
    address: options.parkOnly ? 'none (--park-only)' : formatHop(address),
    pin: identity.pin,
    access,
    root: root === '' ? 'none (--share only)' : root,
    shares: shares.length === 0 ? undefined : shares.map(formatShare),
    relays,
    maxConnections,
    resetOnDeath,
    pump,
    pumpReason,
    proxy: proxy && formatProxy(proxy),
  };
  log.info(facts, 'listening');
  if (maxConnections < options.maxConnections) {
    log.warn(
      { maxConnections, asked: options.maxConnections },
      'connection limit lowered: too few file descriptors (ulimit -n)',
    );
  }
  const leaving = new AbortController();
  void parkAsTold(node, options, () => identity, parkProxy, log, leaving.signal);
  const signal = await signals.first;
  leaving.abort();
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

function formatShare({ name, folder, access }: SharedFolder): string {
  return `${visible(name)}=${folder},access=${access}`;
}

function isFile(parkFor: string): boolean {
  return parkFor !== 'any' && parkFor !== 'none';
}

/** Whether there are files that a daemon reads again. */
function reads({ key, parkFor }: ServerOptions): boolean {
  return key !== undefined || isFile(parkFor);
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
