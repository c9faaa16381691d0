import { InvalidArgumentError, Option } from 'commander';
import { MAX_TIMER_MS } from '../defaults.js';

/** A time limit in seconds for the user, in milliseconds for the program. */
export function secondsOption(
  flag: string,
  what: string,
  defaultMs: number | undefined,
  orNone = false,
): Option {
  const option = new Option(`${flag} <seconds>`, `time limit: ${what}`);
  if (defaultMs !== undefined) option.default(defaultMs, String(defaultMs / 1000));
  return option.argParser((text: string) => {
    const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    const valid = (orNone ? seconds >= 0 : seconds > 0) && seconds * 1000 <= MAX_TIMER_MS;
    if (!valid) throw new InvalidArgumentError(`Expected seconds, ${orNone ? '0 or more' : 'more than 0'}.`);
    return seconds * 1000;
  });
}

/** A number from 1 that bounds something. */
export function countOption(flag: string, what: string, defaultCount: number): Option {
  return new Option(`${flag} <n>`, `most ${what}`).default(defaultCount).argParser(parseCount);
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return count;
}

/** How the argument of commands that go somewhere is called in their help. */
export const WHERE = 'host:port/path, with relays as in http://h1:12000/@h2:11000/path';

/** Relays given apart; those of a second `-J` come after those of the first. */
export function jumpOption(): Option {
  const option = new Option(
    '-J, --jump <relays>',
    'relays in front of it, as with ssh: h1:12000,h2:11000; repeatable',
  );
  return option.argParser((relays: string, before: string | undefined) =>
    before === undefined ? relays : `${before},${relays}`,
  );
}

/** A route in a file. */
export function routeOption(): Option {
  return new Option('--route <file>', 'take name and route from an input file, - for standard input');
}
