import { type Location, locationOf, parseLocation } from '../route/location.js';
import { type NamePattern, splitPattern } from '../route/pattern.js';
import { ViaductError } from '../errors.js';
import { withNamedRelays, withNamedRoute } from './config/named-route.js';
import type { CommandContext } from './context.js';
import { readInput } from './input.js';

/** The options that name a location, besides the argument. */
export interface WhereOptions {
  /** `-J`: relays before the argument's host. */
  readonly jump?: string | undefined;
  /** `--route`: an input file of the original form. */
  readonly route?: string;
}

/** A location, and the pin of its last hop if a route file has one. */
export interface Where extends Location {
  readonly pin?: string | undefined;
}

/** What an argument names: something at a location, or what matches a pattern in the folder there. */
export type WhereOrPattern = Where & { readonly pattern?: NamePattern | undefined };

/**
 * As {@link locationFrom}, if the last part of the argument may be a pattern.
 * @throws ViaductError as {@link locationFrom}
 */
export async function patternFrom(
  where: string | undefined,
  options: WhereOptions,
  context: CommandContext,
): Promise<WhereOrPattern> {
  const whole = where && (await withNamedRoute(where));
  const split = whole === undefined ? undefined : splitPattern(whole);
  const location = await locationFrom(split?.folder ?? whole, options, context);
  return { ...location, pattern: split?.pattern };
}

/**
 * The location that the argument, `-J` and `--route` name together.
 * @throws ViaductError USAGE, READ_FAILED or BAD_ROUTE
 */
export async function locationFrom(
  where: string | undefined,
  options: WhereOptions,
  context: CommandContext,
): Promise<Where> {
  const { jump, route } = options;
  if (route === undefined) {
    if (where === undefined)
      throw new ViaductError('USAGE', 'no location given: expected host:port/path, or --route FILE');
    return parseLocation(await withNamedRoute(where), jump && (await withNamedRelays(jump)));
  }
  if (where !== undefined || jump !== undefined)
    throw new ViaductError('USAGE', '--route already names the location; it excludes the argument and -J');
  const source = await readInput(route, context);
  return { ...locationOf(source), pin: source.pin };
}
