/**
 * Every limit and default, in one place. Times are in milliseconds, sizes in bytes.
 * Names that end in `Ms` are times; all others are sizes or counts.
 */

/** A classic message, its closing empty line included: the original reads it with one `recv(4096)`. */
export const MESSAGE_BYTES = 4096;

/** The head of an HTTP request or reply (RFC 9110 §5.4 leaves it to us; nginx and Node take 16 KiB too). */
export const HEAD_BYTES = 16 * 1024;

/** A request target (RFC 9110 §4.1 asks for at least 8,000). */
export const TARGET_BYTES = 8 * 1024;

/** The line before a chunk (RFC 9112 §7.1.1 asks to bound its extensions). */
export const CHUNK_LINE_BYTES = 1024;

/** The body of an error reply, and how long a client reads it; its head says enough. */
export const ERROR_BODY_BYTES = 64 * 1024;
export const ERROR_BODY_MS = 5000;

/** A file is hashed in parts of at least this size: to ask another thread takes as long as to hash 100 KiB. */
export const HASH_PART_BYTES = 4 * 1024 * 1024;

/** The most of a file that is hashed at one go, since nothing interrupts it: some tenths of a second. */
export const HASH_PART_BYTES_MAX = 64 * 1024 * 1024;

/** The disk is told to write after this much of a download. */
export const FLUSH_BYTES = 64 * 1024 * 1024;

/** What waits in the kernel for a download that is slowed down by `--limit-rate`, at most; lost if it is killed. */
export const SLOW_READER_BYTES = 256 * 1024;
export const SLOW_READER_SECONDS = 8;

/** Such a download goes on so often in a second. */
export const THROTTLE_STEPS = 8;

/** A download is tried again so often in a row without progress (`--retry`). */
export const RETRIES = 5;

/** Files that are fetched at once (`--transfers`), and folders inside each other. */
export const TRANSFERS = 4;
export const TREE_DEPTH = 100;

/** The pause before an attempt: the first, doubled for each one in a row that brought nothing, up to the last. */
export const RETRY_FIRST_MS = 500;
export const RETRY_LAST_MS = 30_000;

/** An origin says by `Retry-After` when to ask for a digest again; never later than this. */
export const DIGEST_ASK_MS = 10_000;

/** How long a digest is waited for: this long, and as long as a slow disk takes to read the file. */
export const DIGEST_PATIENCE_MS = 60_000;
export const DIGEST_BYTES_PER_MS = 10_000;

/** A relay on the HTTP wire dials for so long: short, so that a deadline does not hide the hop that failed. */
export const HTTP_CONNECT_MS = 5000;

/** A reply's head is waited for this long per hop that is left, and the silence limit on top. */
export const HTTP_HEAD_PER_HOP_MS = 5000;

/** A kept connection without a new request. */
export const KEEP_ALIVE_MS = 5000;

/** A `HEAD` that wants a digest waits so long for it. */
export const DIGEST_WAIT_MS = 5000;

/** Files up to this size are hashed without another thread, and before the reply: 0.2 ms (measured). */
export const DIGEST_AT_ONCE_BYTES = 256 * 1024;

/** Digests that are remembered, and digests that may be under way at once. */
export const DIGESTS_KEPT = 1000;
export const DIGESTS_AT_ONCE = 2;
export const DIGESTS_QUEUED = 100;

/** A folder's listing: 100,000 names of the longest kind are about 30 MiB; a million short entries fit. */
export const LISTING_BYTES = 64 * 1024 * 1024;

/** A line of a listing: a name of 255 characters takes 1.5 KiB at most, the path of a folder some more. */
export const LISTING_LINE_BYTES = 64 * 1024;

/** Times that a trace asks each hop: the median of three forgives one that was slow. */
export const PROBES = 3;

/** A node's status, as a trace reads it: half a KiB. */
export const STATUS_BYTES = 16 * 1024;

/** Input that is kept while a reply is on its way, for requests that a client sends ahead. */
export const INPUT_AHEAD_BYTES = 64 * 1024;

/** Hops of a route as the client writes it, so that a node sees at most one less. Tor ends at 8, we at 16. */
export const MAX_HOPS = 16;

/** A message that ends in LF counts as whole after this much quiet (an original sends no end mark). */
export const QUIET_AFTER_LINE_MS = 500;

/** A message that does not end in LF counts as whole after this much quiet. */
export const QUIET_MS = 1000;

/** Dialling a hop, look-up included: the original's limit. */
export const CONNECT_MS = 20_000;

/** Silence of a sender, counted only while we are willing to read, and a whole message: the original's limit. */
export const SILENCE_MS = 10_000;

/** Silence and stall are checked this often within their limit, and end between 1 and 1 + 1/8 times it. */
export const WATCHDOG_CHECKS = 8;

/** A reader that takes nothing. */
export const STALL_MS = 60_000;

/** Head start of one address over the next (RFC 8305 §5, "Connection Attempt Delay"). */
export const ATTEMPT_DELAY_MS = 250;

/** Addresses of a name that are dialled; all are checked. Bounds what a hostile name can make a relay do. */
export const ADDRESSES_DIALLED = 6;

/** Names that are looked up at once for one client: a look-up that hangs holds one of two threads (libuv). */
export const LOOKUPS_PER_CLIENT = 1;

/** Lingering close (RFC 9112 §9.6): how long, and how much, a client's late input is read and dropped. */
export const LINGER_MS = 5000;
export const LINGER_BYTES = 64 * 1024;

/**
 * The reused read buffer of a connection. It starts small, so that idle connections cost little, and grows when it
 * is filled: to the middle size, and after `OFFLOAD_BYTES` to the size at which throughput stops growing
 * (measured). A large flow that can be spliced never gets so far, and holds little if its reader stalls before.
 */
export const BUFFER_MIN = 2 * 1024;
export const BUFFER_MID = 32 * 1024;
export const BUFFER_MAX = 256 * 1024;

/**
 * A flow is handed to a splice worker once so many bytes of it have passed, unless it is known that fewer are left:
 * by then it has shown to be large, and its reader's kernel has seldom had enough yet. Measured with 128, 256, 512
 * and 1,024 KiB: alike but for noise; replies of 1 MiB are as fast as without, of 4 MiB 1.3 times as fast.
 */
export const OFFLOAD_BYTES = 128 * 1024;

/** Splice workers of a node at most; never more than there are processors. */
export const OFFLOAD_WORKERS = 4;

/** A worker that dies so often in a row, without ending a flow in between, is not started again. */
export const OFFLOAD_DEATHS = 3;

/** A splice worker that is to stop does so at once, unless something is wrong with it: it is ended after this. */
export const OFFLOAD_STOP_MS = 2000;

/**
 * Capacity of a pipe. A large one saves switches between threads; the kernel lets all processes of an ordinary user
 * have 64 MiB in pipes (pipe-user-pages-soft of pipe(7)), which is 1,024 small ones. So only the first of a process
 * are large, more of them where that limit does not hold, and each worker has its share. (64 flows at once are 1.2
 * times as fast with all pipes large; measured.)
 */
export const PIPE_BYTES_LARGE = 1024 * 1024;
export const PIPE_BYTES_SMALL = 64 * 1024;
export const LARGE_PIPES = 32;
export const LARGE_PIPES_UNLIMITED = 256;

/** Empty pipes that a worker keeps, and pipes that it has at most. */
export const PIPES_KEPT = 16;
export const PIPES_MAX = 4096;

/**
 * One flow moves about so many bytes before the others have their turn: flows that go on side by side leave less in
 * the kernel's queues (measured: 64 flows gain 20 % over turns of 16 MiB).
 */
export const TURN_BYTES = 1024 * 1024;

/** What a client sends and nobody wants is dropped so many bytes at a time, and so often in one turn. */
export const DISCARD_BYTES = 1024 * 1024;
export const DISCARD_ROUNDS = 16;

/** Events that one epoll_wait(2) fetches. */
export const EPOLL_EVENTS = 256;

/** The timer wheel of a worker: 512 × 25 ms is 12.8 s. A limit that is further away is looked at early. */
export const WHEEL_SLOTS = 512;
export const WHEEL_TICK_MS = 25;

/** The read buffer of a connection that is lent to a splice worker, for when it comes back. */
export const BUFFER_LENT = 1024;

/** Read buffers that wait for the next connection with much traffic. */
export const SPARE_BUFFERS = 4;

/** Running transfers may take this long to finish after the first SIGINT or SIGTERM. */
export const GRACE_MS = 30_000;

/** Lines for a reader of standard output or the log who does not read; further ones are dropped and counted. */
export const OUTPUT_QUEUE_BYTES = 1024 * 1024;

/** How long the end of the program waits for such a reader. */
export const OUTPUT_FLUSH_MS = 1000;

/** The longest time that a Node timer can hold: 2^31 - 1 ms, about 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** An input file: a message's worth of text, with room for blank lines. */
export const INPUT_BYTES = 64 * 1024;

/** Ports below this one belong to other services; a relay dials them only if a rule says so. */
export const FIRST_ORDINARY_PORT = 1024;

/** The kernel's queue of connections that are not accepted yet; the original had 5. */
export const BACKLOG = 511;

/** Connections that a node serves at once. Lower where the process may open fewer descriptors. */
export const MAX_CONNECTIONS = 2048;

/** Descriptors of one connection: the client's, and all attempts to dial, or a file. */
export const DESCRIPTORS_PER_CONNECTION = 1 + ADDRESSES_DIALLED;

/** Descriptors that are not connections: standard streams, event loop, listener, look-ups, some air. */
export const DESCRIPTORS_RESERVED = 64;

/** How long the list of this host's own addresses and gateways is trusted before it is read again. */
export const NETWORK_VIEW_MS = 5000;

/** How long a node remembers for whom it dialled itself, after that connection is gone. */
export const SELF_DIAL_MS = 5000;
