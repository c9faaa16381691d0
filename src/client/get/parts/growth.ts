/**
 * Numbers of connections that are tried, one after the other, if no number is given, and how much more each has to bring to be
 * worth it. The first step is small: on a clean line it only disturbs. With one further connection instead of three, one that has
 * not lost a packet yet hid what it brings.
 */
const STEPS: readonly { readonly connections: number; readonly gain: number }[] = [
  { connections: 4, gain: 1.25 },
  { connections: 8, gain: 1.2 },
  { connections: 16, gain: 1.1 },
];

/** Faster than this the processor is the limit, not the line: bytes per second. */
const FAST = 125_000_000;

/** What brought nothing is tried again after this time: lines change. */
const AGAIN_MS = 20_000;

/**
 * It is tried again sooner if the rate has fallen to this part of what it was: a connection that has not lost a packet yet is faster
 * than it will be.
 */
const FALLEN = 0.7;
const LOOK_MS = 1000;

/** How long the rate is measured, at least, and in round trips. */
const MEASURE_MS = 600;
const MEASURE_ROUND_TRIPS = 4;

/** A window has mostly grown to its size after so many round trips. */
const SETTLE_ROUND_TRIPS = 6;

export interface GrowthOptions {
  /** Bytes of the file so far. */
  readonly bytes: () => number;
  /** Sets the number of connections; resolves when they are open. */
  readonly setConnections: (count: number) => Promise<void>;
  /** A round trip over the route at least, in ms. */
  readonly roundTripMs: number;
  /** Rejected to end it. */
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * Finds the number of connections that is worth it. On a clean line one is as fast as many; on a line with losses each has
 * its own share (measured: 5 to 12 times as much with 8 to 16).
 */
export async function grow({ bytes, setConnections, roundTripMs, wait }: GrowthOptions): Promise<void> {
  const settle = (): Promise<void> => wait(SETTLE_ROUND_TRIPS * roundTripMs);
  const rate = async (): Promise<number> => {
    const [from, startedAt] = [bytes(), performance.now()];
    await wait(Math.max(MEASURE_MS, MEASURE_ROUND_TRIPS * roundTripMs));
    return ((bytes() - from) * 1000) / (performance.now() - startedAt);
  };
  let connections = 1;
  const again = async (best: number): Promise<void> => {
    const until = performance.now() + AGAIN_MS;
    do await wait(LOOK_MS);
    while (performance.now() < until && (await rate()) > FALLEN * best);
  };
  for (;;) {
    await settle();
    let best = await rate();
    for (const step of STEPS.filter((each) => each.connections > connections)) {
      if (best === 0 || best >= FAST) break;
      await setConnections(step.connections);
      let next = await rate();
      // What pays at once will pay; what does not may need some time.
      if (next < step.gain * best) {
        await settle();
        next = await rate();
      }
      if (next < step.gain * best) {
        await setConnections(connections);
        await settle();
        best = await rate();
        if (next < step.gain * best) break;
        // The line has become slower meanwhile, and would be slower still without them.
        await setConnections(step.connections);
      }
      connections = step.connections;
      best = next;
    }
    await again(best);
  }
}
