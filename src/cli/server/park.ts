import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Logger } from 'pino';
import { splitRoute } from '../../client/first-hop.js';
import { type ParkEvent, keepParked } from '../../client/parking/keep-parked.js';
import { ViaductError, asViaductError, systemReason, withContext } from '../../errors.js';
import { HostTrust } from '../../identity/host-trust.js';
import type { Identity } from '../../identity/pem.js';
import { type ParkFor, parseParkRules } from '../../identity/park-rules.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import type { RunningNode } from '../../node/options.js';
import type { ProxyConfig } from '../../proxy/config.js';
import { type Route, formatHop } from '../../route/hop.js';
import { formatTarget } from '../../route/url.js';
import { type Location, parseLocation } from '../../route/location.js';
import { notAParkedName, parseParkedName, pinName } from '../../route/parked-name.js';
import { visible } from '../../text.js';
import { addPin } from '../encryption.js';
import type { ProxyOptions } from '../proxy.js';
import { outcomeOf } from '../exit-codes.js';

/** Parsed options. */
export interface ParkOptions extends ProxyOptions {
  readonly park?: readonly Route[];
  readonly name?: string;
  readonly parkOnly?: true;
  readonly pin?: readonly string[];
  readonly acceptNew?: true;
  readonly state?: string;
}

/** Of a node that parks elsewhere. */
export function parkOptions(): Option[] {
  return [
    new Option(
      '--park <where>',
      'be reachable through another node, which may be the last hop of a route: h1:12000 (repeatable)',
    ).argParser(addRoute),
    new Option('--name <name>', 'name to park with (default: 16 characters of the pin)').argParser(toName),
    new Option('--park-only', 'do not listen: be reachable through --park alone'),
    new Option('--pin <pin>', 'park only at a node with this key, sha256//BASE64 (repeatable)')
      .argParser(addPin)
      .conflicts('acceptNew'),
    new Option('--accept-new', 'trust and save the key of an unknown node to park at'),
  ];
}

function addRoute(text: string, before: readonly Route[] = []): readonly Route[] {
  const { route, path, scheme } = parkLocation(text);
  if (path !== '/') throw new InvalidArgumentError('Expected the address of a node, without a path.');
  if (scheme === 'https') throw new InvalidArgumentError('It is always in TLS; write it without https://.');
  const at = addressOf(route);
  if (before.some((other) => addressOf(other) === at))
    throw new InvalidArgumentError(
      'It is given twice: two parkings of one node at one relay end each other.',
    );
  return [...before, route];
}

function parkLocation(text: string): Location {
  try {
    const location = parseLocation(text);
    splitRoute(location.route, {}); // Checks that it begins with a host.
    return location;
  } catch (error) {
    throw withContext(error, (message) => `--park: ${message}`);
  }
}

function toName(text: string): string {
  const name = parseParkedName(text.replace(/^~/, ''));
  if (name === undefined) throw new InvalidArgumentError(notAParkedName(text));
  return name;
}

/** @throws ViaductError USAGE for options that do nothing together */
export function checkParkOptions(
  { park, name, parkOnly, pin, acceptNew, host }: ParkOptions & { readonly host?: string },
  port: string | undefined,
): void {
  if (park !== undefined && parkOnly && (port !== undefined || host !== undefined))
    throw new ViaductError(
      'USAGE',
      '--park-only means that the node does not listen; leave port and --host out',
    );
  if (park !== undefined) return;
  const alone = [
    [name, '--name'],
    [parkOnly, '--park-only'],
    [pin, '--pin'],
    [acceptNew, '--accept-new'],
  ] as const;
  for (const [value, flag] of alone)
    if (value !== undefined) throw new ViaductError('USAGE', `${flag} needs --park HOST:PORT`);
}

/**
 * The value of `--park-for`: `any`, `none`, or the name of a file of pins.
 * @throws ViaductError USAGE, READ_FAILED
 */
export async function parkForFrom(value: string): Promise<ParkFor> {
  if (value === 'any' || value === 'none') return value;
  let text: string;
  try {
    text = await readFile(value, 'utf8');
  } catch (cause) {
    const message = `cannot read ${visible(value)} (--park-for takes any, none, or a file of pins): ${systemReason(cause)}`;
    throw new ViaductError('READ_FAILED', message, { cause });
  }
  return parseParkRules(text, value);
}

/** Reads the file again, and keeps the present rules if it cannot be used. */
export async function reloadParkFor(
  file: string,
  log: Logger,
  use: (parkFor: ParkFor) => void,
): Promise<void> {
  try {
    use(await parkForFrom(file));
    log.info({ file }, 'pins of nodes that may park read again');
  } catch (error) {
    const { code, message } = asViaductError(error);
    log.error({ code }, `the present pins stay in use: ${message}`);
  }
}

/**
 * Keeps a node parked wherever its options say, until the signal.
 * @param identity the present one
 * @param proxy to the first hops
 */
export async function parkAsTold(
  node: RunningNode,
  options: ParkOptions,
  identity: () => Identity,
  proxy: ProxyConfig | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const parkings = (options.park ?? []).map((route) =>
    keepParked(route, {
      encryption: {
        // Decided on anew each time: the user may have accepted a key meanwhile.
        checkKey: (checked, pin) => trustFor(options, log).check(checked, pin),
      },
      identity,
      proxy,
      name: options.name,
      serve: (stream, begin) => node.serve(stream, begin),
      onEvent: reporter(route, options.name ?? pinName(identity().pin), log),
      signal,
    }),
  );
  await Promise.all(parkings);
}

function trustFor({ pin, acceptNew, state }: ParkOptions, log: Logger): HostTrust {
  return new HostTrust({
    stateFolder: state === undefined ? undefined : stateFolderPath(state),
    stateOption: state,
    pins: pin ?? [],
    acceptNew: acceptNew === true,
    notify: (lines) => log.info({}, lines.replace(/^viaduct: /, '').trimEnd()),
  });
}

/** The command in a message has paths and pins. */
const MESSAGE_CHARS = 4096;

/** Logs where the node can be reached, and each new reason why it cannot. */
function reporter(route: Route, name: string, log: Logger): (event: ParkEvent) => void {
  const at = addressOf(route);
  let last = '';
  let lastNotOpened = '';
  return (event) => {
    if (event.type === 'parked') {
      last = '';
      return log.info({ at, address: `http://${at}/@~${name}/` }, 'parked');
    }
    const { code, message } = event.error;
    // That of CUT_SHORT is about files.
    const hint = event.error.hint ?? (code === 'CUT_SHORT' ? undefined : outcomeOf(event.error).hint);
    const why = `${visible(message, MESSAGE_CHARS)}${hint === undefined ? '' : ` (${hint})`}`;
    if (event.type === 'not-opened') {
      const text = `a connection for requests was not opened: ${why}`;
      log[text === lastNotOpened ? 'debug' : 'warn']({ at, code }, text);
      lastNotOpened = text;
      return;
    }
    const text = `not parked: ${why}`;
    // For hours the same, it is said once.
    log[text === last ? 'debug' : 'warn']({ at, code, nextAttemptSeconds: event.pauseMs / 1000 }, text);
    last = text;
  };
}

function addressOf([first, ...rest]: Route): string {
  return first === undefined ? '' : formatHop(first) + formatTarget({ route: rest, path: '' });
}
