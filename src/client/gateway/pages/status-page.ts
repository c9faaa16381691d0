import { formatHop, isParked } from '../../../route/hop.js';
import { type Location, formatLocation } from '../../../route/location.js';
import { withoutTokens } from '../../../route/share-link.js';
import { nameOfPath } from '../../../route/url.js';
import { escapeHtml } from '../../../html.js';
import { formatBytes, visible } from '../../../text.js';
import type { TracedHop } from '../../trace.js';
import { gatewayPage } from './page.js';
import type { RouteWatch } from '../route-watch.js';
import type { Transfer } from '../transfers.js';

export interface Status {
  readonly location: Location;
  /** How the last hop is known, such as its pin. */
  readonly identity: string;
  readonly watch: RouteWatch;
  readonly transfers: readonly Transfer[];
}

/** The parts of the page that change. */
const SECTIONS = ['state', 'route', 'transfers'] as const;

/** What is in them, by the `id` of their element. */
export function sections({
  location,
  watch,
  transfers,
}: Status): Readonly<Record<(typeof SECTIONS)[number], string>> {
  return {
    state: stateSection(watch),
    route: routeSection(location, watch),
    transfers: transfersSection(transfers),
  };
}

/**
 * Replaces what has changed. Without it the page is as right, and loaded again every few seconds. A tab in the background
 * is not updated: browsers have six connections to a host, for all tabs, and nothing else would load.
 */
const SCRIPT = `
let source;
const follow = () => {
  source?.close();
  if (document.hidden) return;
  source = new EventSource('events');
  for (const id of ${JSON.stringify(SECTIONS)})
    source.addEventListener(id, ({ data }) => { document.getElementById(id).innerHTML = JSON.parse(data); });
  source.onopen = () => { document.getElementById('ended').hidden = true; };
  source.onerror = () => { document.getElementById('ended').hidden = false; };
};
document.addEventListener('visibilitychange', follow);
follow();
`;

/**
 * @param home relative URL of what was opened
 * @param nonce of the script
 */
export function statusPage(status: Status, home: string, nonce: string): string {
  const { state, route, transfers } = sections(status);
  const where = visible(withoutTokens(formatLocation(status.location))).replace(/^http:\/\//, '');
  const content = `<h1>${escapeHtml(where).replaceAll('/', '<wbr>/')}</h1>
<p><a href="${escapeHtml(home)}">Open</a></p>
<p id="ended" class="bad" role="alert" hidden>viaduct open does not answer. It may have ended.</p>
<div id="state" role="status">${state}</div>
<h2>Route</h2>
<p>${escapeHtml(status.identity)}</p>
<div id="route" class="table" role="region" aria-label="Route" tabindex="0">${route}</div>
<h2>Transfers</h2>
<div id="transfers" class="table" role="region" aria-label="Transfers" tabindex="0">${transfers}</div>
<script nonce="${nonce}">${SCRIPT}</script>`;
  return gatewayPage(
    `viaduct: ${where}`,
    content,
    '<noscript><meta http-equiv="refresh" content="3"></noscript>',
  );
}

function stateSection({ failure }: RouteWatch): string {
  return failure === undefined
    ? '<p class="good">The route works.</p>'
    : `<p class="bad">The route does not work: ${escapeHtml(failure.message)}.</p>`;
}

function routeSection({ route }: Location, { hops }: RouteWatch): string {
  const rows = route.map((hop, index) => hopRow(index + 1, formatHop(hop), hops?.[index]));
  return tableOf(['Hop', 'Address', 'Round trip', 'Link', 'Key', 'State'], rows);
}

/** @param rows each an element */
function tableOf(titles: readonly string[], rows: readonly string[]): string {
  const heading = titles.map((title) => `<th scope="col">${title}</th>`).join('');
  return `<table><thead><tr>${heading}</tr></thead>\n<tbody>${rows.join('\n')}</tbody></table>`;
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
          { down: 'down', unreached: 'not reached', unknown: 'not probed yet' }[traced?.state ?? 'unknown'],
        ];
  return `<tr>${[number, address, ...cells].map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`;
}

function transfersSection(transfers: readonly Transfer[]): string {
  if (transfers.length === 0) return '<p>Nothing has been fetched yet.</p>';
  return tableOf(['File', 'Progress', 'Rate', 'State'], transfers.map(transferRow));
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
  return `<tr><td class="text">${name}</td><td>${bar}${amount}</td><td>${rate}</td><td class="text">${escapeHtml(stateOf(transfer))}</td></tr>`;
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
