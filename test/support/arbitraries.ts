import * as fc from 'fast-check';
import { type HostHop, type Source, ViaductError, parseHost } from 'viaduct';

const labels = fc
  .array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))
  .filter((host) => parseHost(host) !== undefined);

/** Half surrogates, of which two are one character. */
const [SURROGATES, SURROGATES_END, CHARACTERS_END] = [0xd800, 0xe000, 0x11_0000] as const;

/** Any character. As fast-check's `binary`, which takes more than a second to make. */
export const anyCharacter = fc
  .nat(CHARACTERS_END - 1 - (SURROGATES_END - SURROGATES))
  .map((point) => String.fromCodePoint(point < SURROGATES ? point : point + SURROGATES_END - SURROGATES));

/** Plain objects, which deepEqual tells from those without a prototype. */
export const PLAIN = { noNullPrototype: true } as const;

/** Names, IPv4 addresses and IPv6 addresses, as the strict grammar has them. */
const hosts = fc.oneof(labels, fc.ipV4(), fc.ipV6());

export const hops: fc.Arbitrary<HostHop> = fc.record(
  {
    host: hosts,
    port: fc.integer({ min: 1, max: 65_535 }),
  },
  PLAIN,
);

/** File names that the text forms can carry: one line, neither blank nor with a CR at its end. */
export const names = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: anyCharacter, minLength: 1 }))
  .filter((name) => name.trim() !== '' && !/[\n\0]|^\uFEFF|\r$/.test(name));

/** What a message carries; short enough to be encoded. */
export const requests: fc.Arbitrary<Source> = fc.record(
  {
    name: names,
    route: fc.array(hops, { maxLength: 15 }),
  },
  PLAIN,
);

/** Text that comes near to the grammars: their pieces in any order, and anything else between them. */
export const nearlyValid = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r\n', ' ', '\0', ':', '-', '/', '*.', '[', ']', '%', '.', '..', '\uFEFF'),
      fc.constantFrom('127.0.0.1', '::1', '[::1]', 'h1', '0x7f', '80', '65536', '00080', 'fe80::1%eth0'),
      fc.string({ unit: anyCharacter, maxLength: 5 }),
    ),
  )
  .map((pieces) => pieces.join(''));

/** True if it returns, or throws the one class of errors that user input may cause. */
export function failsWell(act: () => unknown): boolean {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    return error.code !== 'INTERNAL';
  }
  return true;
}
