import { once } from 'node:events';
import { openGateway } from '../../client/gateway/gateway.js';
import { asViaductError } from '../../errors.js';
import { HostTrust } from '../../identity/host-trust.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import type { CommandContext } from '../context.js';
import { type TrustOptions, encryptionFrom } from '../encryption.js';
import { type ProxyOptions, proxyFrom } from '../proxy.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { type WhereOptions, locationFrom } from '../where.js';
import { hasDisplay, openBrowser } from './browser.js';
import { jsonReport, textReport } from './report.js';

/** Parsed options; times in ms. */
export interface OpenCommandOptions extends WhereOptions, TrustOptions, ProxyOptions {
  readonly port?: number;
  /** False with `--no-browser`. */
  readonly browser: boolean;
  /** False with `--no-verify`. */
  readonly verify: boolean;
  readonly retryTime: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
  readonly verbose?: true;
  readonly json?: true;
}

/** Runs a gateway until a signal ends it. Returns the exit code. */
export async function runOpen(
  where: string | undefined,
  options: OpenCommandOptions,
  context: CommandContext,
): Promise<number> {
  const interruption = listenForInterruption('');
  const { signal } = interruption;
  const report = options.json ? jsonReport(context) : textReport(context, options.verbose === true);
  try {
    const location = await locationFrom(where, options, context);
    const { pin, scheme } = location;
    const encryption = await encryptionFrom(options, context, { pin, scheme, signal });
    const gateway = await openGateway(location, {
      ...encryption,
      checkRelayKey: relayKeys(options),
      port: options.port,
      verify: options.verify,
      retryTimeMs: options.retryTime,
      timeoutMs: options.timeout,
      connectTimeoutMs: options.connectTimeout,
      maxHops: options.maxHops,
      proxy: proxyFrom(options),
      signal,
      onEvent: (event) => report.event(event),
    });
    report.opened(gateway);
    if (options.browser && !options.json && hasDisplay()) {
      const failure = await openBrowser(gateway.ticketUrl());
      if (failure !== undefined) context.stderr.write(`viaduct: no browser could be started: ${failure}\n`);
    }
    if (!signal.aborted) await once(signal, 'abort');
    await gateway.close();
    return 0;
  } catch (error) {
    const known = asViaductError(error);
    if (known.code === 'USAGE') throw known;
    return interruption.exitCode(report.failed(known));
  }
}

/** Says nothing, whatever key a relay has: the last hop's decides. */
function relayKeys({ state }: TrustOptions): HostTrust['check'] {
  const trust = new HostTrust({ stateFolder: state === undefined ? undefined : stateFolderPath(state) });
  return (route, pin) => trust.check(route, pin);
}
