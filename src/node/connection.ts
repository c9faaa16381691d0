import type { Signal } from '../signal.js';
import { ViaductError } from '../errors.js';
import { type Hop, type HostHop, formatHop, isParked } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { acceptTls } from '../tls/accept.js';
import { StreamWriter } from '../tcp/writer.js';
import { pinOfCertificate } from '../identity/pin.js';
import { type AddressClass, networkOf, outermost } from './access/address.js';
import { ConnectionSignals } from './connection-signals.js';
import type { Decision, ReadAttempt } from './access/readers.js';
import type { TableEntry } from './connection-table.js';
import type { NodeContext } from './context.js';
import { Exchange, secondsSince } from './exchange.js';
import { KeptUpstream } from './kept-upstream.js';

/** One accepted connection: who is at the other end, what is being served, and what ends it. */
export class Connection implements TableEntry {
  readonly node: NodeContext;
  #stream: ByteStream;
  readonly id: number;
  /** The client, or the node before this one. */
  readonly peer: HostHop;
  readonly #peerName: string;
  /** The request that is served now. */
  exchange: Exchange;
  readonly network: string;
  #requestReceived = false;
  /** When its first byte could come: it was accepted, or a tunnel or TLS ended here. */
  begunAt = performance.now();
  readonly #acceptedAt = this.begunAt;
  /** A tunnel ends here. */
  isTunnel = false;
  /** In TLS. */
  isSecure = false;
  /** Of the key that the client has proved in TLS that ends here, if the node asks and it has one. */
  #clientPin: string | undefined;
  /** What the nodes before this one have seen, at the end of a tunnel. */
  #tunnelClass: AddressClass | undefined;
  #requests = 0;
  /** Only the client's end is awaited: its departure no longer ends anything. */
  #isLingering = false;
  readonly #signals = new ConnectionSignals();
  // Both are made when they are first needed: most connections are relayed and have one request, and are to cost little.
  #writer: StreamWriter | undefined;
  #upstream: KeptUpstream | undefined;
  /** It came over a connection that this node has parked elsewhere: its client is a stranger. */
  readonly #cameParked: boolean;

  constructor(node: NodeContext, stream: ByteStream, cameParked = false) {
    this.#cameParked = cameParked;
    this.node = node;
    this.#stream = stream;
    this.id = node.totals.connections;
    node.totals.connections += 1;
    this.peer = stream.remote;
    this.network = networkOf(this.peer.host);
    this.#peerName = formatHop(this.peer);
    node.emit({ type: 'accepted', connectionId: this.id, peer: this.#peerName });
    stream.onClose(() => {
      if (this.#isLingering) return;
      this.abort(new ViaductError('CLIENT_GONE', 'the client left', { cause: stream.error }));
    });
    this.exchange = this.nextExchange();
  }

  get stream(): ByteStream {
    return this.#stream;
  }

  /**
   * The client begins TLS. From here on {@link stream} is what it carries.
   * @param begin what was read of it
   * @throws ViaductError TLS_FAILED; the signal's reason
   */
  async secure(begin: Buffer): Promise<void> {
    const { node, signal } = this;
    if (this.isSecure) throw new ViaductError('TLS_FAILED', 'TLS inside TLS is not served');
    if (node.tls === undefined) throw new Error('a node without a key refuses TLS');
    this.isSecure = true;
    this.#writer?.release();
    const { stream, peerCertificate } = await acceptTls(this.#stream, begin, {
      ...node.tls,
      limitMs: node.silenceMs,
      signal,
      broken: (error) => this.abort(error),
    });
    this.#stream = stream;
    this.#writer = undefined;
    this.#clientPin = peerCertificate && pinOfCertificate(peerCertificate);
    node.emit({ type: 'secured', connectionId: this.id, clientPin: this.#clientPin });
    this.begunAt = performance.now();
  }

  /** A 101 was sent: a new connection begins on this one. @param claimed the class that nodes before this one have seen */
  tunnelEnds(claimed: AddressClass | undefined): void {
    this.isTunnel = true;
    this.#tunnelClass = claimed;
    this.#requestReceived = false;
    this.node.connections.waits(this);
    this.begunAt = performance.now();
    this.nextExchange();
  }

  /**
   * Decides whether the client may read, and reports the request as one to this node as origin.
   * @param asked what it wants to read
   */
  async decideRead(asked: Pick<ReadAttempt, 'dialect' | 'name' | 'link'>): Promise<Decision> {
    const pin = this.#clientPin;
    const decision = await this.node.readers.decide({ ...asked, isSecure: this.isSecure, pin });
    const link = asked.link === undefined ? undefined : true;
    this.exchange.serving(asked.name, { clientPin: pin, client: decision.client, link });
    return decision;
  }

  /** To the next hop of the last request. What that sends in between cannot be trusted: no further request. */
  get upstream(): KeptUpstream {
    return (this.#upstream ??= new KeptUpstream(() => {
      if (this.exchange.ended) this.#signals.endIdle();
    }));
  }

  /** Aborted when the client leaves, and when the node ends. */
  get signal(): Signal {
    return this.#signals.signal;
  }

  /** Aborted as well when no further request is wanted. Ends only the wait for one. */
  get keepAliveSignal(): Signal {
    return this.#signals.keepAlive;
  }

  /** Writes what the node says itself. */
  get writer(): StreamWriter {
    return (this.#writer ??= new StreamWriter(this.stream, this.node.stall, this.signal));
  }

  /** Ends it with a reset. @param reason for the log */
  abort(reason: ViaductError): void {
    this.#signals.abort(reason);
  }

  /**
   * The node is being stopped: a complete request is answered, an incomplete one is reset. Earlier replies may still
   * be on their way in the kernel, so a kept connection is closed, not reset.
   */
  stop(reason: ViaductError): void {
    if (this.exchange.ended) this.#signals.endIdle(reason);
    else if (!this.#requestReceived) this.abort(reason);
  }

  giveWay(reason: ViaductError): void {
    this.stop(reason);
  }

  /** A request is complete: a shutdown lets its reply finish, and it no longer gives way to other connections. */
  requestReceived(): void {
    this.#requestReceived = true;
    this.node.connections.answers(this);
  }

  /** Its reply is complete, and a further request is awaited. */
  awaitsRequest(): void {
    this.#requestReceived = false;
    this.node.connections.waits(this);
  }

  /** A further request on the same connection. */
  nextExchange(): Exchange {
    this.#requests += 1;
    this.exchange = new Exchange(this.id, this.#peerName, this.node);
    return this.exchange;
  }

  /** What comes next on its stream is no request: another part of the node reads it. */
  handOver(): ByteStream {
    this.#isLingering = true;
    this.#writer?.release();
    this.#writer = undefined;
    return this.#stream;
  }

  /** All replies are queued, and FIN too. */
  linger(): void {
    this.#upstream?.drop();
    this.#isLingering = true;
    this.node.connections.leaves(this);
    this.#writer?.release();
  }

  /** The stream is closed. */
  closed(): void {
    this.#upstream?.drop();
    this.#writer?.release();
    const seconds = secondsSince(this.#acceptedAt);
    this.node.emit({ type: 'closed', connectionId: this.id, requests: this.#requests, seconds });
  }

  /** The class of the client, no further inside than nodes before this one claim. */
  clientClass(claim?: AddressClass): AddressClass {
    if (this.#cameParked) return 'public';
    const claims = [claim, this.#tunnelClass].filter((known) => known !== undefined);
    return claims.reduce(outermost, this.#observedClass);
  }

  get #observedClass(): AddressClass {
    const { selfDials, policy } = this.node;
    return this.#cameParked ? 'public' : (selfDials.classOf(this.peer) ?? policy.classOf(this.peer.host));
  }

  /**
   * Dials a next hop for this client, if the policy allows it.
   * @param except an address that was tried before
   * @throws as {@link Dialler.dial}
   */
  async dial(
    hop: Hop,
    label: string,
    client: AddressClass,
    timeoutMs: number,
    except?: string,
  ): Promise<ByteStream> {
    const { node } = this;
    const { policy, dialler, selfDials, ownPort, lobby } = node;
    // What this node has dialled itself is for a client that it relays for.
    if (selfDials.classOf(this.peer) === undefined)
      policy.checkClient(
        { address: this.peer.host, observed: () => this.#observedClass, class: client },
        hop,
        label,
      );
    policy.checkName(hop, label, isParked(hop) ? lobby.find(hop.parked) : undefined);
    if (isParked(hop)) lobby.permit(client, label, formatHop(hop));
    const startedAt = performance.now();
    const stream = await dialler.dial(hop, {
      label,
      timeoutMs,
      except,
      signal: this.signal,
      client: this.network,
      permit: (target, addresses) => {
        policy.check(client, target, addresses, label);
        this.exchange.stage('policy', () => `${formatHop(target)} is permitted for a ${client} client`);
      },
    });
    if (!isParked(hop) && stream.remote.port === ownPort) selfDials.add(stream, client);
    this.exchange.dialled(formatHop(stream.remote), secondsSince(startedAt));
    return stream;
  }
}
