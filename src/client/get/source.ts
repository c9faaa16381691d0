import { ViaductError } from '../../errors.js';
import { type Location, parseLocation } from '../../route/location.js';

/**
 * Whether the source that a sidecar records has the same path as a location. The route may differ: the user may reach
 * the same file another way.
 */
export function isSameOriginPath(recorded: string, { path }: Location): boolean {
  try {
    return parseLocation(recorded).path === path;
  } catch (error) {
    if (error instanceof ViaductError) return false;
    throw error;
  }
}
