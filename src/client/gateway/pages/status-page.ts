import { formatHop, isParked } from '../../../route/hop.js';
import { type Location, formatLocation } from '../../../route/location.js';
import { withoutTokens } from '../../../route/share-link.js';
import { nameOfPath } from '../../../route/url.js';
import { escapeHtml } from '../../../html.js';
import { formatBytes, visible } from '../../../text.js';
import type { TracedHop } from '../../trace.js';
import { page } from './page.js';
import type { RouteWatch } from '../route-watch.js';
import type { Transfer } from '../transfers.js';

export interface Status {
  readonly location: Location;
  /** How the last hop is known, such as its pin. */
  readonly identity: string;
  readonly watch: RouteWatch;
  readonly transfers: readonly Transfer[];
}

/** The parts of the page that change, by the `id` of their element. */
export function sections({
  location,
  identity,
  watch,
  transfers,
}: Status): Readonly<Record<'route' | 'transfers', string>> {
  return { route: routeSection(location, identity, watch), transfers: transfersSection(transfers) };
}

/** Replaces what has changed. Without it the page is as right, and loaded again every few seconds. */
const SCRIPT = `
const source = new EventSource('events');
for (const id of ['route', 'transfers'])
  source.addEventListener(id, ({ data }) => { document.getElementById(id).innerHTML = JSON.parse(data); });
source.onopen = () => { document.getElementById('ended').hidden = true; };
source.onerror = () => { document.getElementById('ended').hidden = false; };
`;

/**
 * @param home relative URL of what was opened
 * @param nonce of the script
 */
export function statusPage(status: Status, home: string, nonce: string): string {
  const { route, transfers } = sections(status);
  const where = visible(withoutTokens(formatLocation(status.location)));
  const content = `<h1>${escapeHtml(where)}</h1>
<p><a href="${escapeHtml(home)}">Open</a></p>
<p id="ended" class="bad" role="alert" hidden>viaduct open does not answer. It may have ended.</p>
<h2>Route</h2><div id="route">${route}</div>
<h2>Transfers</h2><div id="transfers">${transfers}</div>
<script nonce="${nonce}">${SCRIPT}</script>`;
  return page(`viaduct: ${where}`, content, '<noscript><meta http-equiv="refresh" content="3"></noscript>');
}

function routeSection({ route }: Location, identity: string, { hops, failure }: RouteWatch): string {
  const state =
    failure === undefined
      ? '<p class="good" role="status">The route works.</p>'
      : `<p class="bad" role="status">The route does not work: ${escapeHtml(failure.message)}.</p>`;
  const rows = route.map((hop, index) => hopRow(index + 1, formatHop(hop), hops?.[index]));
  return `${state}<p>${escapeHtml(identity)}</p>
<div class="table"><table><thead><tr><th scope="col">Hop</th><th scope="col">Address</th><th scope="col">Round trip</th><th scope="col">Link</th><th scope="col">Key</th><th scope="col">State</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function hopRow(number: number, address: string, traced: TracedHop | undefined): string {
  const cells =
    traced?.state === 'up'
      ? [
          `${traced.roundTripMs.toFixed(1)} ms`,
          `+${traced.linkMs.toFixed(1)} ms`,
          traced.key ?? 'not checked',
          isParked(traced.hop) ? 'up, parked' : 'up',
        ]
      : [
          '',
          '',
          '',
          { down: 'down', unreached: 'not reached', unknown: 'not asked yet' }[traced?.state ?? 'unknown'],
        ];
  return `<tr>${[number, address, ...cells].map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`;
}

function transfersSection(transfers: readonly Transfer[]): string {
  if (transfers.length === 0) return '<p>Nothing has been fetched yet.</p>';
  return `<div class="table"><table><thead><tr><th scope="col">File</th><th scope="col">Progress</th><th scope="col">Rate</th><th scope="col">State</th></tr></thead>
<tbody>${transfers.map(transferRow).join('\n')}</tbody></table></div>`;
}

function transferRow(transfer: Transfer): string {
  const { path, bytes, size, state } = transfer;
  const isActive = ['sending', 'waiting', 'checking'].includes(state);
  const name = escapeHtml(visible(nameOf(path)));
  const bar =
    isActive && size !== undefined
      ? `<progress value="${bytes}" max="${size}" aria-label="${name}"></progress> `
      : '';
  const amount = `${formatBytes(bytes)}${size === undefined || size === bytes ? '' : ` of ${formatBytes(size)}`}`;
  const rate = state === 'sending' ? `${formatBytes(transfer.rate)}/s` : '';
  return `<tr><td class="name">${name}</td><td>${bar}${amount}</td><td>${rate}</td><td>${escapeHtml(stateOf(transfer))}</td></tr>`;
}

function stateOf({ state, error, digest, method }: Transfer): string {
  switch (state) {
    case 'asking':
      return 'requested';
    case 'sending':
      return 'transferring';
    case 'waiting':
      return `interrupted, will go on: ${error?.message ?? ''}`;
    case 'checking':
      return 'comparing the SHA-256';
    case 'complete':
      return method === 'HEAD' ? 'complete (HEAD)' : digest === undefined ? 'complete' : 'complete, verified';
    case 'left':
      return 'ended by the client';
    case 'failed':
      return `failed: ${error?.message ?? ''}`;
  }
}

/** Decoded, as far as it can be. */
function nameOf(path: string): string {
  try {
    return `/${nameOfPath(path)}`;
  } catch {
    return path;
  }
}
