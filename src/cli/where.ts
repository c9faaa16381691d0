import { type Location, locationOf, parseLocation } from '../route/location.js';
import { ViaductError } from '../errors.js';
import { readInput } from './input.js';

/** The options that say where, besides the argument. */
export interface WhereOptions {
  /** `-J`: relays in front of the argument's host. */
  readonly jump?: string;
  /** `--route`: an input file of the original form. */
  readonly route?: string;
}

/**
 * The location that an argument, `-J` and `--route` name together.
 * @throws ViaductError USAGE, READ_FAILED or BAD_ROUTE
 */
export async function locationFrom(where: string | undefined, options: WhereOptions): Promise<Location> {
  const { jump, route } = options;
  if (route === undefined) {
    if (where === undefined) throw new ViaductError('USAGE', 'say where: host:port/path, or --route FILE');
    return parseLocation(where, jump);
  }
  if (where !== undefined || jump !== undefined)
    throw new ViaductError('USAGE', '--route names everything: no other place, and no -J, go with it');
  return locationOf(await readInput(route));
}
