/** Defaults that users see, and limits that several modules share. Times are in milliseconds, sizes in bytes. */

/** Retries of a transfer start during this time without progress (`--retry-time`): routers restart within minutes. */
export const RETRY_MS = 300_000;

/** Files that are fetched at once (`--transfers`), and folders inside each other. */
export const TRANSFERS = 4;

/** Files of a folder up to this size are asked for without waiting for each other's replies; nodes send their digest with the reply. */
export const SMALL_FILE_BYTES = 256 * 1024;

/** A reply's head is waited for this long per hop that is left, and the silence limit on top. */
export const HTTP_HEAD_PER_HOP_MS = 5000;

/** Times that a trace asks each hop: the median of three forgives one that was slow. */
export const PROBES = 3;

/** A speed test of a route, all hops together. */
export const SPEED_MS = 8000;

/** Hops of a route as the client writes it, so that a node sees at most one less. Tor ends at 8, we at 16. */
export const MAX_HOPS = 16;

/** Dialling a hop, look-up included: the original's limit. */
export const CONNECT_MS = 20_000;

/** Silence of a sender, counted only while we are willing to read, and a whole message: the original's limit. */
export const SILENCE_MS = 10_000;

/** A reader that takes nothing while half of a node's connections are in use. */
export const STALL_MS = 60_000;

/** A reader that takes nothing while there is room: a paused video, a pager. */
export const PAUSE_MS = 3_600_000;

/**
 * A flow is handed to a splice worker once so many bytes of it have passed, unless it is known that fewer are left:
 * by then it has shown to be large, and its reader's kernel has seldom had enough yet. Measured with 128, 256, 512
 * and 1,024 KiB: alike but for noise; replies of 1 MiB are as fast as without, of 4 MiB 1.3 times as fast.
 */
export const OFFLOAD_BYTES = 128 * 1024;

/** Running transfers may take this long to finish after the first SIGINT or SIGTERM. */
export const GRACE_MS = 30_000;

/** The longest time that a Node timer can hold: 2^31 - 1 ms, about 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The kernel's queue of connections that are not accepted yet: a burst of idle ones is not to cost others a SYN, and so a second. Linux takes no more by default; the original had 5. */
export const BACKLOG = 4096;

/** Nodes that are parked at a node at once. */
export const MAX_PARKED = 300;
/** From one address, of IPv6 from one /64. */
export const MAX_PARKED_PER_CLIENT = 64;
/** Connections that each of them keeps ready. */
export const PARK_READY = 4;

/** Connections that a node serves at once. Lower where the process may open fewer descriptors. */
export const MAX_CONNECTIONS = 2048;
