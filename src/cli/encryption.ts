import { Option } from 'commander';
import type { Encryption, EncryptionOptions } from '../client/http/encryption.js';
import { ViaductError, asViaductError, withContext } from '../errors.js';
import { loadAuthorities } from '../identity/authorities.js';
import { HostTrust } from '../identity/host-trust.js';
import { loadIdentity } from '../identity/identity.js';
import { stateFolderPath } from '../identity/state-folder.js';
import { notAPin, parsePin } from '../route/pin.js';
import type { Scheme } from '../route/location.js';
import { type RankedOptions, yieldsTo } from './config/ranks.js';
import type { CommandContext } from './context.js';
import { stateOption } from './options.js';
import { askOnTerminal } from './terminal/ask.js';

/** How long a question about a key waits for its answer. */
const ANSWER_MS = 120_000;

/** Parsed options of a command whose transfers are encrypted. */
export interface TrustOptions extends RankedOptions {
  readonly plain?: true | undefined;
  readonly pin?: readonly string[];
  readonly acceptNew?: true;
  /** `system`, or a file. */
  readonly ca?: string;
  readonly state?: string;
}

export function trustOptions(): Option[] {
  return [
    new Option('--plain', 'do not encrypt; with https://, only the first link'),
    new Option('--pin <pin>', 'trust only a host with this key, sha256//BASE64 (repeatable)')
      .argParser(addPin)
      .conflicts(['acceptNew', 'ca']),
    new Option('--accept-new', 'trust and save keys of unknown hosts without asking').conflicts('ca'),
    new Option('--ca <file>', 'trust certificates of these authorities, in PEM, or of "system"'),
    stateOption(),
  ];
}

export function addPin(text: string, before: readonly string[] = []): readonly string[] {
  const pin = parsePin(text);
  if (pin === undefined) throw new ViaductError('USAGE', notAPin(text));
  return [...before, pin];
}

export interface TrustContext {
  /** Of the first link. */
  readonly scheme?: Scheme | undefined;
  /** Of the last hop, from a route file. */
  readonly pin?: string | undefined;
  /** Ask the user about unknown keys, where there is a terminal. @default true */
  readonly asks?: boolean;
  readonly signal?: AbortSignal;
  /** What else prints there. @default nothing */
  readonly terminal?: SharedTerminal;
}

/** A command that prints on the terminal where questions are asked. */
export interface SharedTerminal {
  /** Prints nothing while a question is open, but later. @returns lets it go on */
  pause(): () => void;
  /** Lets `print` write whole lines to the terminal, once no question is open. */
  around(print: () => void): void;
}

/** @throws ViaductError of {@link loadAuthorities} and {@link loadIdentity} */
export async function encryptionFrom(
  given: TrustOptions,
  context: CommandContext,
  where: TrustContext,
): Promise<EncryptionOptions> {
  const options = usable(given, where);
  const trust = hostTrustFrom(options, context, where);
  const encryption: Encryption = {
    checkKey: (route, presented) =>
      trust.check(route, presented).catch((error: unknown) => {
        throw where.scheme === 'https' ? withHintForTwo(error) : error;
      }),
    authorities: options.ca === undefined ? undefined : await loadAuthorities(options.ca),
    identity: options.plain ? undefined : await clientIdentity(options, where, context),
  };
  return { plain: options.plain === true, encryption };
}

/** The same pins are for the first hop and the last. */
function withHintForTwo(error: unknown): unknown {
  if (asViaductError(error).code !== 'WRONG_PIN') return error;
  const hint =
    'check the pin and the address; with https:// through a relay, the first hop and the last each need a pin';
  return withContext(error, (message) => message, { hint });
}

/** What the user trusts must have a say, unless it is weaker than `--plain`. @throws ViaductError USAGE */
function usable(options: TrustOptions, { pin, scheme }: TrustContext): TrustOptions {
  const { plain, pin: pins, acceptNew, ca } = options;
  if (ca !== undefined && pin !== undefined)
    throw new ViaductError('USAGE', 'the input file has a pin, which excludes --ca');
  if (plain !== true || scheme === 'https') return options;
  if (pin !== undefined)
    throw new ViaductError(
      'USAGE',
      'the input file has a pin, but with --plain no key is checked; leave --plain out, or remove the pin',
    );
  const trusted = [
    ...(pins === undefined ? [] : ['pin']),
    ...(acceptNew === true ? ['acceptNew'] : []),
    ...(ca === undefined ? [] : ['ca']),
  ].filter((name) => !yieldsTo(options, name, 'plain'));
  if (trusted.length === 0) return options;
  if (trusted.some((name) => yieldsTo(options, 'plain', name))) return { ...options, plain: undefined };
  throw new ViaductError('USAGE', 'with --plain no key is checked, unless the location begins with https://');
}

/** What decides for a command which keys are trusted. */
export function hostTrustFrom(
  options: TrustOptions,
  { stderr }: CommandContext,
  { pin, asks = true, signal, terminal }: TrustContext,
): HostTrust {
  return new HostTrust({
    stateFolder: options.state === undefined ? undefined : stateFolderPath(options.state),
    stateOption: options.state,
    pins: [...(options.pin ?? []), ...(pin === undefined ? [] : [pin])],
    acceptNew: options.acceptNew === true,
    ...(asks && {
      ask: (question: string) =>
        askOnTerminal(question, {
          stderr,
          timeoutMs: ANSWER_MS,
          ...(signal && { signal }),
          ...(terminal && { pause: () => terminal.pause() }),
        }),
    }),
    notify: (lines) => {
      if (terminal === undefined) stderr.write(lines);
      else terminal.around(() => stderr.write(lines));
    },
  });
}

/**
 * Where nothing can be written, a client has none: only few origins ask for it. If trust needs no state folder, that one
 * cannot be used or that there is none is no failure either.
 */
async function clientIdentity(
  { state, pin, ca }: TrustOptions,
  where: TrustContext,
  { stderr }: CommandContext,
): Promise<Encryption['identity']> {
  const needsFolder = pin === undefined && ca === undefined && where.pin === undefined;
  try {
    const identity = await loadIdentity(stateFolderPath(state), 'client');
    for (const warning of identity.warnings) stderr.write(`viaduct: warning: ${warning}\n`);
    return identity;
  } catch (error) {
    const { code } = asViaductError(error);
    const isForgiven =
      code === 'WRITE_FAILED' || (!needsFolder && (code === 'READ_FAILED' || code === 'USAGE'));
    if (isForgiven) return undefined;
    throw error;
  }
}
