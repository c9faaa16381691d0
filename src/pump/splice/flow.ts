import { WATCHDOG_CHECKS } from '../../tcp/watchdog.js';
import {
  EAGAIN,
  EINTR,
  EINVAL,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  type SystemCalls,
} from '../../system/calls.js';
import type { OffloadEnd, OffloadJob, OffloadResult } from '../offload.js';
import { leastMs } from '../../tcp/live-limit.js';
import { StallDetector } from '../../tcp/stall-detector.js';
import { Direction } from './direction.js';
import type { PipePool } from './pipe-pool.js';
import type { TakeOrder } from './protocol.js';

/** Input of the client that is not wanted is dropped: bytes at a time, and times in one turn. */
const DISCARD_BYTES = 1024 * 1024;
const DISCARD_ROUNDS = 16;

type Side = 'client' | 'upstream';

/** One flow that a worker moves. */
export class WorkerFlow {
  /** The main thread's number for it. */
  readonly id: number;
  readonly job: OffloadJob;
  /** Has its turn in the next round. */
  queued = false;
  /** How often the limits are to be checked, in ms. */
  readonly checkMs: number;
  readonly #moved: Float64Array;
  readonly #calls: SystemCalls;
  readonly #down: Direction | undefined;
  readonly #up: Direction | undefined;
  readonly #silence: StallDetector;
  readonly #downStall: StallDetector;
  readonly #upStall: StallDetector;
  readonly #onEnd: (flow: WorkerFlow, result: OffloadResult) => void;
  /** The client may have sent what is to be dropped. */
  #late: boolean;
  #ended = false;

  /** @param onEnd called once, after which the flow does nothing more */
  constructor(
    { id, take: job, moved }: TakeOrder,
    calls: SystemCalls,
    pipes: PipePool,
    onEnd: (flow: WorkerFlow, result: OffloadResult) => void,
  ) {
    const { client, upstream, down, up, silenceMs, stall } = job;
    this.id = id;
    this.job = job;
    this.#moved = moved;
    this.checkMs = Math.min(silenceMs, leastMs(stall)) / WATCHDOG_CHECKS;
    this.#calls = calls;
    this.#onEnd = onEnd;
    if (down > 0) this.#down = new Direction(calls, pipes, upstream, client, down);
    if (up) this.#up = new Direction(calls, pipes, client, upstream, Infinity);
    this.#silence = new StallDetector(silenceMs);
    this.#downStall = new StallDetector(stall);
    this.#upStall = new StallDetector(stall);
    this.#late = !up && !job.keepInput;
  }

  /** Records what epoll reports of a side. True if something can be done now. */
  notice(side: Side, events: number): boolean {
    const broken = (events & (EPOLLERR | EPOLLHUP)) !== 0;
    const readable = broken || (events & EPOLLIN) !== 0;
    const writable = broken || (events & EPOLLOUT) !== 0;
    const [source, sink] = side === 'client' ? [this.#up, this.#down] : [this.#down, this.#up];
    if (readable && source?.stop === 'source') source.stop = 'turn';
    if (writable && sink?.stop === 'sink') sink.stop = 'turn';
    // A break is found by reading, and then there is nothing to keep.
    if (readable && side === 'client' && !this.job.up && (broken || !this.job.keepInput)) this.#late = true;
    return this.#late || this.#hasTurn;
  }

  /** Does what can be done without waiting. True if there is more. */
  run(): boolean {
    if (this.#ended) return false;
    if (this.#late) this.#dropInput();
    if (!this.#ended && this.#down?.stop === 'turn') this.#advance(this.#down, 'down');
    if (!this.#ended && this.#up?.stop === 'turn') this.#advance(this.#up, 'up');
    this.#moved[0] = this.#down?.written ?? 0;
    this.#moved[1] = this.#up?.written ?? 0;
    return !this.#ended && (this.#late || this.#hasTurn);
  }

  /** Hands the flow back as it is. */
  giveBack(): void {
    this.#end({ how: 'returned' });
  }

  /** Hands the flow back without what is in its pipes: it is to be reset. */
  abandon(): void {
    this.#down?.abandon();
    this.#up?.abandon();
    this.giveBack();
  }

  /** Ends the flow if a limit is reached. To be called every `checkMs`; more often does no harm. */
  check(now: number): void {
    if (this.#silence.isStalled(this.#waitingToRead, now))
      this.#fail(this.#down === undefined ? 'client' : 'upstream', 'TIMEOUT');
    else if (this.#downStall.isStalled(this.#taken(this.#down, this.job.client), now))
      this.#fail('client', 'STALLED');
    else if (this.#upStall.isStalled(this.#taken(this.#up, this.job.upstream), now))
      this.#fail('upstream', 'STALLED');
  }

  /** Progress while nothing but a source is waited for; both directions count together (see `silenceMs` of a flow). */
  get #waitingToRead(): number | undefined {
    const directions = [this.#down, this.#up].filter((direction) => direction !== undefined);
    if (directions.some(({ stop }) => stop !== 'source')) return undefined;
    return directions.reduce((sum, { read }) => sum + read, 0);
  }

  get #hasTurn(): boolean {
    return this.#down?.stop === 'turn' || this.#up?.stop === 'turn';
  }

  /** Bytes that the far side of a sink has taken, while it is waited for. */
  #taken(direction: Direction | undefined, sink: number): number | undefined {
    if (direction?.stop !== 'sink') return undefined;
    return direction.written - this.#calls.unacknowledged(sink);
  }

  #advance(direction: Direction, name: 'down' | 'up'): void {
    const [source, sink]: readonly [Side, Side] =
      name === 'down' ? ['upstream', 'client'] : ['client', 'upstream'];
    switch (direction.run()) {
      case 'source':
      case 'sink':
      case 'turn':
        return;
      case 'ended':
      case 'no pipe':
        return this.giveBack();
      case 'source failed':
        return this.#broken(source, direction.errno);
      case 'sink failed':
        return this.#broken(sink, direction.errno);
    }
  }

  #dropInput(): void {
    for (let round = 0; round < DISCARD_ROUNDS; round += 1) {
      const dropped = this.#calls.discard(this.job.client, DISCARD_BYTES);
      if (dropped > 0 || dropped === EINTR) continue;
      this.#late = false;
      // At 0 the client has sent FIN, which is no departure.
      if (dropped < 0 && dropped !== EAGAIN) this.#broken('client', dropped);
      return;
    }
  }

  #broken(side: Side, errno: number): void {
    // A kernel that does not splice sockets (such as gVisor) has moved nothing.
    if (errno === EINVAL) return this.giveBack();
    this.#fail(side, side === 'client' ? 'CLIENT_GONE' : 'CUT_SHORT', errno);
  }

  #fail(side: Side, code: 'CLIENT_GONE' | 'CUT_SHORT' | 'TIMEOUT' | 'STALLED', errno?: number): void {
    this.#end({ how: 'failed', side, code, errno });
  }

  #end(end: OffloadEnd): void {
    this.#ended = true;
    const whole = end.how !== 'failed';
    const result: OffloadResult = {
      end,
      // Before the pipes are emptied: those bytes were not taken by a side.
      toClient: this.#down?.written ?? 0,
      toUpstream: this.#up?.written ?? 0,
      restForClient: whole ? this.#down?.takeRest() : undefined,
      restForUpstream: whole ? this.#up?.takeRest() : undefined,
    };
    this.#down?.abandon();
    this.#up?.abandon();
    this.#onEnd(this, result);
  }
}
