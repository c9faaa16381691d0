import { PAGE_END, escapeHtml, formatNumber, pageHead } from '../../../html.js';
import { formatBytes, visible } from '../../../text.js';
import { segmentsOf } from '../../../route/subtree.js';
import { encodeSegment } from '../../../route/url.js';
import type { RequestHead } from '../../../wire/http/head.js';
import { type Omitted, omittedText } from '../../../wire/http/listing.js';
import { controls, pager, tableHead } from './controls.js';
import type { Choice } from './choose.js';
import { type Crumb, type Place, folderCrumbs, hopCrumbs, hostOf } from './crumbs.js';
import { ICON_SYMBOLS, icon, iconOf } from './icons.js';
import type { Content, Row } from './rows.js';
import { shownName } from './shown-name.js';
import { STYLE } from './style.js';

/**
 * A listing as a page.
 * @param hasControls whether it has links to other views and other folders than those in it and its parent: a program that
 *   follows all links is not to fetch everything several times
 */
export async function* htmlListing(
  place: Place,
  request: RequestHead,
  { choice, rows, omitted }: Content,
  hasControls: boolean,
): AsyncGenerator<string> {
  const title = `${hostOf(request)}${visible(`/${place.name}`, Infinity)}`;
  yield pageHead(title, { style: STYLE });
  yield `${ICON_SYMBOLS}<main>\n`;
  if (hasControls) yield route(hopCrumbs(request, place));
  yield `<h1 id="path">${folderCrumbs(place).map(folderLink(hasControls)).join('')}</h1>\n`;
  if (hasControls && choice !== undefined) yield controls(choice);
  yield `<table aria-labelledby="path">\n${tableHead(hasControls ? choice : undefined)}<tbody>\n`;
  if (segmentsOf(place.name).length > place.root.topDepth)
    yield `<tr><td>${icon('up')}<a href="../">Parent folder</a></td><td></td><td></td></tr>\n`;
  for await (const batch of rows) yield batch.map(htmlRow).join('');
  yield `</tbody></table>\n`;
  if (choice !== undefined) yield emptyText(choice) + (hasControls ? pager(choice) : '');
  yield `${foot(omitted())}</main>${PAGE_END}`;
}

function route(crumbs: readonly Crumb[]): string {
  const hops = crumbs.map(({ text, href }, index) => {
    const name = escapeHtml(text);
    const isLast = index === crumbs.length - 1;
    if (href === undefined) return `<li><span${isLast ? ' class="here"' : ''}>${name}</span></li>`;
    return `<li><a href="${href}" title="Top folder of ${name}">${name}</a></li>`;
  });
  return `<nav aria-label="Route"><ol class="route">${hops.join('')}</ol></nav>\n`;
}

/** The root is a slash; each folder has one at its end. */
function folderLink(isLinked: boolean): (crumb: Crumb) => string {
  return ({ text, href }) => {
    const name = escapeHtml(shownName(text));
    const shown = text === '' ? '/' : name;
    const slash = text === '' ? '' : '/';
    if (href === undefined || !isLinked) return shown + slash;
    const label = text === '' ? ' aria-label="Top folder"' : '';
    return `<a href="${href}"${label}>${shown}</a>${slash}`;
  };
}

function htmlRow({ name, isFolder, size, modified }: Row): string {
  const slash = isFolder ? '/' : '';
  const time = modified.toISOString();
  const shown = `<span>${time.slice(0, 10)}</span> <span>${time.slice(11, 16)}</span>`;
  // To read, and the exact number for programs and as a hint.
  const bytes = isFolder
    ? ''
    : `<data value="${size}" title="${formatNumber(size)} bytes">${formatBytes(size)}</data>`;
  const link = `<a href="./${encodeSegment(name)}${slash}">${escapeHtml(shownName(name))}${slash}</a>`;
  const kind = icon(isFolder ? 'folder' : iconOf(name));
  return `<tr><td>${kind}${link}</td><td>${bytes}</td><td><time datetime="${time}">${shown}</time></td></tr>\n`;
}

function emptyText({ query, folders, files, pages }: Choice): string {
  if (folders + files > 0 && query.page <= pages) return '';
  if (folders + files > 0) return `<p>There is no page ${query.page}.</p>\n`;
  if (query.text === '') return '<p>This folder is empty.</p>\n';
  return `<p>No name contains “${escapeHtml(query.text)}”.</p>\n`;
}

function foot(omitted: Omitted): string {
  const { hidden } = omitted;
  const others = omittedText(omitted);
  const names = hidden > 0 ? [`${hidden} hidden ${hidden === 1 ? 'name' : 'names'}`] : [];
  const parts = [...names, ...(others === '' ? [] : [others])];
  return parts.length === 0 ? '' : `<p class="note">Not listed: ${parts.join(', ')}.</p>\n`;
}
