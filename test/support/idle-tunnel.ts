import type { Route } from 'viaduct';
import { requestOf } from './http.js';
import { Talk } from './park-client.js';
import { rawConnect } from './raw.js';
import type { Cleanup } from './scope.js';

/** A tunnel over a route through which nothing is sent. */
export async function tunnelOf(t: Cleanup, route: Route): Promise<Talk> {
  const [first] = route;
  if (first === undefined || !('host' in first)) throw new Error('a tunnel has a first hop that is dialled');
  const talk = new Talk(await rawConnect(t, first));
  talk.socket.write(requestOf(route, '/', ['Connection: Upgrade', 'Upgrade: viaduct']));
  await talk.until(/^HTTP\/1\.1 101 [^]*\r\n\r\n/);
  return talk;
}
