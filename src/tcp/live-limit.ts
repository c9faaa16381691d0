/** A time limit that changes while it is waited for. It is in shared memory, so that worker threads see it too. */
export interface LiveLimit {
  /** The shortest that it can be, in ms. */
  readonly leastMs: number;
  /** One element: the limit that is in force, in ms. */
  readonly current: Float64Array;
}

/** In ms. */
export type Limit = number | LiveLimit;

/** A limit of now `now` ms, which never becomes shorter than `least` ms. */
export function liveLimit(least: number, now: number): LiveLimit {
  const current = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  current[0] = now;
  return { leastMs: least, current };
}

/** The limit that is in force, in ms. */
export function currentMs(limit: Limit): number {
  return typeof limit === 'number' ? limit : (limit.current[0] ?? limit.leastMs);
}

/** The shortest that a limit can be, in ms. */
export function leastMs(limit: Limit): number {
  return typeof limit === 'number' ? limit : limit.leastMs;
}

/** Why a reader was cut that reached the limit. */
export function tookNothing(limit: Limit): string {
  const isShortened = typeof limit !== 'number' && currentMs(limit) <= limit.leastMs;
  const why = isShortened ? ', and half of the connections are in use' : '';
  return `the client took nothing for ${currentMs(limit) / 1000} s${why}`;
}
