import { constants } from 'node:os';
import { resetOnDeathMissing } from '../net/reset-on-death.js';
import { type RunningNode, startNode } from '../node/node.js';
import type { ClientJudgement } from '../node/policy.js';
import { formatHop } from '../route.js';
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
}

/** Runs a node until a signal ends it. Returns the exit code. */
export async function runServer(portArgument: string | undefined, options: ServerOptions): Promise<number> {
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
    onEvent: createReporter(log, print),
  });
  print('the server is ready');
  const { address, root, maxConnections } = node;
  log.info(
    { address: formatHop(address), root, maxConnections, resetOnDeath: resetOnDeathMissing() ?? 'yes' },
    'listening',
  );
  if (maxConnections < options.maxConnections) {
    log.warn(
      { maxConnections, asked: options.maxConnections },
      'fewer connections: too few file descriptors (ulimit -n)',
    );
  }
  const signal = await stopSignal();
  log.info({ signal, graceSeconds: options.grace / 1000 }, 'stopping');
  return stop(node, options.grace);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

/** Lets transfers finish; a second signal ends at once. */
async function stop(node: RunningNode, graceMs: number): Promise<number> {
  const again = stopSignal().then(async (signal) => {
    await node.close(0);
    return 128 + constants.signals[signal];
  });
  return Promise.race([node.close(graceMs).then(() => 0), again]);
}
