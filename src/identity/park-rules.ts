import { ViaductError } from '../errors.js';
import { notAParkedName, parseParkedName } from '../route/parked-name.js';
import { notAPin, parsePin } from '../route/pin.js';
import { visible } from '../text.js';

/** `unknown-pin`: the file does not have the pin. `reserved`: it has the name for another pin. */
type Permission = 'yes' | 'unknown-pin' | 'reserved';

/** For which nodes a relay keeps a place: for any, for none, or for those of a file (`server --park-for`). */
export type ParkFor = 'any' | 'none' | ParkRules;

/**
 * Whether a node may park.
 * @param pin proved by the node
 * @param name canonical, as `parseParkedName` returns it; undefined if the node wants none
 * @returns `yes`, or why not; `no-parking` if this relay parks no nodes
 */
export function parkPermission(
  parkFor: ParkFor,
  pin: string,
  name: string | undefined,
): Permission | 'no-parking' {
  if (parkFor === 'any') return 'yes';
  return parkFor === 'none' ? 'no-parking' : parkFor.permits(pin, name);
}

interface Reservation {
  readonly pin: string;
  readonly line: number;
}

/** The content of a file of pins that may park, and of names that only one of them may take ({@link parseParkRules}). */
export class ParkRules {
  readonly #pins: ReadonlySet<string>;
  readonly #reserved: ReadonlyMap<string, Reservation>;

  constructor(pins: ReadonlySet<string>, reserved: ReadonlyMap<string, Reservation>) {
    this.#pins = pins;
    this.#reserved = reserved;
  }

  /** A pin of the file may take any name that the file has for no other pin. */
  permits(pin: string, name: string | undefined): Permission {
    if (!this.#pins.has(pin)) return 'unknown-pin';
    const owner = name === undefined ? undefined : this.#reserved.get(name);
    return owner === undefined || owner.pin === pin ? 'yes' : 'reserved';
  }
}

/*
 * Grammar:
 *
 *   rules = *( line LF )                                ; or CRLF
 *   line  = [ pin *( space name ) ] [ "#" comment ]     ; space before "#", unless the line begins with it
 *
 * A pin may have several lines. A name may occur with one pin only.
 */

/**
 * The file of `server --park-for`.
 * @param fileName for messages
 * @throws ViaductError USAGE that names file and line
 */
export function parseParkRules(text: string, fileName: string): ParkRules {
  const pins = new Set<string>();
  const reserved = new Map<string, Reservation>();
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [index, whole] of lines.entries()) {
    const line = index + 1;
    const fail = (why: string): ViaductError =>
      new ViaductError('USAGE', `${visible(fileName)}: line ${line}: ${why}`);
    const [pinText, ...names] = wordsOf(whole);
    if (pinText === undefined) continue;
    const pin = parsePin(pinText);
    if (pin === undefined) throw fail(notAPin(pinText));
    pins.add(pin);
    for (const nameText of names) {
      const name = parseParkedName(nameText);
      if (name === undefined) throw fail(notAParkedName(nameText));
      const other = reserved.get(name);
      if (other === undefined) reserved.set(name, { pin, line });
      else if (other.pin !== pin) throw fail(`line ${other.line} has the name "${name}" for another pin`);
    }
  }
  return new ParkRules(pins, reserved);
}

/** The words of a line before its comment. */
function wordsOf(line: string): string[] {
  const words = line.split(/\s+/).filter((word) => word !== '');
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment === -1 ? words : words.slice(0, comment);
}
