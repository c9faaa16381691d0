import { Option } from 'commander';
import { HostTrust } from '../identity/host-trust.js';
import { stateFolderPath } from '../identity/state-folder.js';
import { parsePin } from '../route/pin.js';
import { type Encryption, Sessions } from '../client/http/session.js';
import { ViaductError } from '../errors.js';
import type { CommandContext } from './context.js';
import { stateOption } from './options.js';
import { askOnTerminal } from './terminal/ask.js';

/** How long a question about a key waits for its answer. */
const ANSWER_MS = 120_000;

/** Parsed options of a command whose transfers are encrypted. */
export interface EncryptionOptions {
  readonly plain?: true;
  readonly pin?: readonly string[];
  readonly acceptNew?: true;
  readonly state?: string;
}

export function encryptionOptions(): Option[] {
  return [
    new Option('--plain', 'do without encryption').conflicts(['pin', 'acceptNew']),
    new Option('--pin <pin>', 'trust only a host with this key, sha256//… (repeatable)').argParser(addPin),
    new Option('--accept-new', 'trust and save keys of unknown hosts without asking'),
    stateOption(),
  ];
}

function addPin(text: string, before: readonly string[] = []): readonly string[] {
  const pin = parsePin(text);
  if (pin === undefined) throw new ViaductError('USAGE', `"${text}" is no pin: sha256// and 44 characters of base64`);
  return [...before, pin];
}

export interface EncryptionContext {
  /** Of the last hop, from a route file. */
  readonly pin?: string | undefined;
  readonly signal?: AbortSignal;
  /** Stops what draws on the terminal while a question is asked; returns what lets it go on. */
  readonly pause?: () => () => void;
}

/** Undefined with `--plain`. */
export function encryptionFrom(
  options: EncryptionOptions,
  { stderr }: CommandContext,
  { pin, signal, pause }: EncryptionContext,
): Encryption | undefined {
  if (options.plain === true) return undefined;
  const trust = new HostTrust({
    stateFolder: stateFolderPath(options.state),
    stateOption: options.state,
    pins: [...(options.pin ?? []), ...(pin === undefined ? [] : [pin])],
    acceptNew: options.acceptNew === true,
    ask: (question) =>
      askOnTerminal(question, {
        stderr,
        timeoutMs: ANSWER_MS,
        ...(signal && { signal }),
        ...(pause && { pause }),
      }),
    notify: (lines) => stderr.write(lines),
  });
  return { checkKey: (route, presented) => trust.check(route, presented), sessions: new Sessions() };
}
