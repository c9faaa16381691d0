import { Forwarder } from './forwarder.js';
import type { FlowFailure, FlowResult, Pump } from './pump.js';
import { Watchdog } from './watchdog.js';

/** The pump that works everywhere: Node sockets, one reused buffer a flow, back-pressure by pausing. */
export const portablePump: Pump = (flow) =>
  new Promise<FlowResult>((resolve) => {
    const { client, upstream, mode, signal } = flow;
    const down = new Forwarder(upstream, client, ended, () => fail('upstream', 'CUT_SHORT'), flow.length);
    const up = mode === 'duplex' ? new Forwarder(client, upstream, ended) : undefined;
    const watchdogs = [
      new Watchdog(
        flow.silenceMs,
        () => down.waitingToRead,
        () => fail('upstream', 'TIMEOUT'),
      ),
      new Watchdog(
        flow.stallMs,
        () => down.waitingToWrite,
        () => fail('client', 'STALLED'),
      ),
    ];
    if (up)
      watchdogs.push(
        new Watchdog(
          flow.stallMs,
          () => up.waitingToWrite,
          () => fail('upstream', 'STALLED'),
        ),
      );

    client.socket.on('close', clientClosed);
    upstream.socket.on('close', upstreamClosed);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) return aborted();
    if (client.socket.destroyed) return clientClosed();
    if (upstream.socket.destroyed) return upstreamClosed();

    down.start(flow.fromUpstream);
    if (up) up.start(flow.fromClient);
    else {
      client.consumer = () => true;
      client.resume();
    }

    function ended(): void {
      if (!down.ended || (up && !up.ended)) return;
      settle(undefined);
      // Upstream has sent all that is wanted of it; this sends our FIN.
      if (!up) upstream.finish(() => upstream.socket.destroy());
    }

    function fail(side: FlowFailure['side'], code: FlowFailure['code'], cause?: Error): void {
      settle({ side, code, cause });
      client.reset();
      upstream.reset();
    }

    function settle(failure: FlowFailure | undefined): void {
      for (const watchdog of watchdogs) watchdog.stop();
      client.socket.off('close', clientClosed);
      upstream.socket.off('close', upstreamClosed);
      signal.removeEventListener('abort', aborted);
      resolve({ toClient: down.sent, toUpstream: up?.sent ?? 0, failure });
    }

    function aborted(): void {
      fail('client', 'ABORTED');
    }

    function clientClosed(): void {
      fail('client', 'CLIENT_GONE', client.error);
    }

    /** In reply mode FIN has been seen and only the client is waited for: nothing is lost. */
    function upstreamClosed(): void {
      if (down.sourceEnded && !up) return;
      fail('upstream', 'CUT_SHORT', upstream.error);
    }
  });
