import type { Location } from '../../route/location.js';
import { forProbes } from '../http/encryption.js';
import type { Sink } from '../../files/destination.js';
import type { Reply } from '../http/reply.js';
import type { RequestOptions } from '../http/request.js';
import { traceRoute } from '../trace.js';

/** Silence after which a download asks the hops whether they answer. */
const SILENT_MS = 2000;
const SAMPLE_MS = 500;
/** A probe is a hint and must not outlast the silence that ends a transfer. */
const PROBE_MS = 2000;

export interface SilenceOptions extends Pick<
  RequestOptions,
  'maxHops' | 'proxy' | 'signal' | 'plain' | 'encryption'
> {
  /** Bytes so far; undefined while the receiver itself holds them up. */
  readonly received: () => number | undefined;
  /**
   * Called once when a silence of two seconds begins, then for each hop in order that answers a probe.
   * @param answeredHop number of the last hop that answered; 0: none yet
   */
  readonly onSilence: (answeredHop: number) => void;
}

/** Reads the body of a reply, and reports silence of the sender. */
export async function readWatched(
  reply: Reply,
  save: Sink,
  location: Location,
  options: SilenceOptions,
): Promise<void> {
  let isSaving = false;
  const received = (): number | undefined => (isSaving ? undefined : options.received());
  const endWatch = watchSilence(location, { ...options, received });
  try {
    await reply.read(async (chunk) => {
      isSaving = true;
      await save(chunk);
      isSaving = false;
    });
  } finally {
    endWatch();
  }
}

/** Watches for silence of a sender. Each silence causes one probe of each hop. @returns ends the watch */
function watchSilence(location: Location, { received, onSilence, ...options }: SilenceOptions): () => void {
  let last = received();
  let since = performance.now();
  let probe: AbortController | undefined;
  const sample = (): void => {
    const now = performance.now();
    const bytes = received();
    if (bytes === undefined || bytes !== last) {
      last = bytes;
      since = now;
      probe?.abort();
      probe = undefined;
    } else if (probe === undefined && now - since >= SILENT_MS) {
      probe = new AbortController();
      onSilence(0);
      void probeHops(location, probe.signal, { onSilence, ...options });
    }
  };
  const timer = setInterval(sample, SAMPLE_MS).unref();
  return () => {
    clearInterval(timer);
    probe?.abort();
  };
}

async function probeHops(
  { route, scheme }: Location,
  ended: AbortSignal,
  { onSilence, maxHops, proxy, signal, ...encryption }: Omit<SilenceOptions, 'received'>,
): Promise<void> {
  await traceRoute(route, {
    ...forProbes({ route, scheme, path: '/' }, encryption),
    scheme,
    probes: 1,
    timeoutMs: PROBE_MS,
    connectTimeoutMs: PROBE_MS,
    maxHops,
    proxy,
    signal: signal === undefined ? ended : AbortSignal.any([signal, ended]),
    onHop: ({ state, number }) => {
      if (state === 'up' && !ended.aborted) onSilence(number);
    },
  }).catch(() => {}); // An abort: the silence is over.
}
