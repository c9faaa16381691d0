import { ViaductError } from '../../errors.js';
import { parseHost } from '../../route/hop.js';
import { visible } from '../../text.js';
import { type RequestHead, valuesOf } from '../../wire/http/head.js';
import { hasOurVia } from '../../wire/http/via.js';
import type { Connection } from '../connection.js';
import { nameOf } from '../access/host-names.js';
import type { Request } from './request.js';

/**
 * Checks that a request calls this node by a name of its own, whether it is served here or relayed: otherwise a web page
 * whose host name leads here (DNS rebinding) could read all that its reader's browser can reach.
 *
 * Requests that no page can have made are exempt, under whatever name the client or a relay has dialled this node: with
 * our Via, for a tunnel or to park, and at the end of a tunnel. A page can set neither `Via` nor `Upgrade`. TLS alone
 * exempts no request: the browser's warning about a wrong name can be clicked away. A name in the node's certificate is its
 * own. A page always has a host name, so that an empty `Host`, or none in HTTP/1.0, is not from one.
 * @throws ViaductError WRONG_HOST
 */
export function requireOwnName({ node, isTunnel }: Connection, request: Request): void {
  const { head } = request;
  if (isTunnel || request.isTunnel || request.parking !== undefined || hasOurVia(head.fields)) return;
  const authority = authorityOf(head);
  if (/^(?::\d*)?$/.test(authority) || node.hostNames.allows(authority)) return;
  const name = nameOf(authority) ?? '';
  const shown = parseHost(name) === undefined ? 'NAME' : name;
  throw new ViaductError(
    'WRONG_HOST',
    `the host name "${visible(authority)}" is not one of this node's, so that a web page may be behind it (DNS rebinding); if it is, start the node with --host-name ${shown}`,
  );
}

/** In the target if it is absolute, which overrides `Host` (RFC 9112 §3.2.2). */
function authorityOf({ target, fields }: RequestHead): string {
  const [, authority] = /^https?:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(target) ?? [];
  return authority ?? valuesOf(fields, 'host')[0] ?? '';
}
