import { escapeHtml, formatNumber } from '../../../html.js';
import { type Choice, PAGE_ENTRIES, SORTED_ENTRIES } from './choose.js';
import { type ListingQuery, NO_QUERY, type Order, type Sort, formatListingQuery } from './query.js';

/* The parts of a page that lead to other views of the same folder: links and a form, which need no script. */

const COLUMNS: readonly { readonly sort: Sort; readonly title: string; readonly first: Order }[] = [
  { sort: 'name', title: 'Name', first: 'asc' },
  // Largest and newest first: what people look for.
  { sort: 'size', title: 'Size', first: 'desc' },
  { sort: 'time', title: 'Modified (UTC)', first: 'desc' },
];

/** A form too: programs that follow all links would fetch every folder twice. */
const DOWNLOAD =
  '<form class="download" aria-label="Download the folder"><span>Download as</span><button name="tar">tar</button><button name="zip">zip</button></form>\n';

/** The number of entries, the whole folder as one file, and the filter. */
export function controls({ query, folders, files, isSortable }: Choice): string {
  const { text, sort, order } = query;
  const kept = [
    ...(sort === NO_QUERY.sort ? [] : [['sort', sort]]),
    ...(order === NO_QUERY.order ? [] : [['order', order]]),
  ];
  const hidden = kept.map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  const clear = text === '' ? '' : `<a href="${linkTo({ ...query, text: '', page: 1 })}">Clear</a>`;
  const counts = [...counted(folders, 'folder'), ...counted(files, 'file')].join(', ');
  const count = counts === '' || text === '' ? counts : `${counts} match`;
  const note = isSortable
    ? ''
    : `; sorted by name only, since they are more than ${formatNumber(SORTED_ENTRIES)}`;
  return `<div class="bar"><p>${count}${note}</p>
${DOWNLOAD}<form role="search"><input type="search" name="q" value="${escapeHtml(text)}" placeholder="Filter by name" aria-label="Filter by name" autocomplete="off" spellcheck="false">${hidden.join('')}<button>Filter</button>${clear}</form></div>
`;
}

/** @param choice undefined: without links */
export function tableHead(choice: Choice | undefined): string {
  const cells = COLUMNS.map(({ sort, title, first }) => {
    if (choice === undefined) return `<th scope="col">${title}</th>`;
    const { query, isSortable } = choice;
    if (sort !== 'name' && !isSortable) return `<th scope="col">${title}</th>`;
    const isSorted = query.sort === sort;
    const next = isSorted ? opposite(query.order) : first;
    const state = isSorted ? ` aria-sort="${query.order}ending"` : '';
    const arrow = isSorted ? ` <span aria-hidden="true">${query.order === 'asc' ? '↑' : '↓'}</span>` : '';
    const href = linkTo({ ...query, sort, order: next, page: 1 });
    return `<th scope="col"${state}><a href="${href}">${title}${arrow}</a></th>`;
  });
  return `<thead><tr>${cells.join('')}</tr></thead>`;
}

/** Links to the pages around; nothing for one page. */
export function pager({ query, folders, files, pages }: Choice): string {
  const page = Math.min(query.page, pages + 1);
  if (pages === 1 && page === 1) return '';
  const to = (target: number, text: string, rel = ''): string =>
    target < 1 || target > pages || target === page
      ? `<span>${text}</span>`
      : `<a href="${linkTo({ ...query, page: target })}"${rel}>${text}</a>`;
  const total = folders + files;
  const [first, last] = [(page - 1) * PAGE_ENTRIES + 1, Math.min(page * PAGE_ENTRIES, total)];
  const shown =
    page > pages
      ? `${formatNumber(total)} entries`
      : `${formatNumber(first)}–${formatNumber(last)} of ${formatNumber(total)}`;
  return `<nav aria-label="Pages" class="pages">${to(1, 'First')}${to(page - 1, 'Previous', ' rel="prev"')}<span class="here">${shown}</span>${to(page + 1, 'Next', ' rel="next"')}${to(pages, 'Last')}</nav>
`;
}

function linkTo(query: ListingQuery): string {
  return escapeHtml(formatListingQuery(query));
}

function opposite(order: Order): Order {
  return order === 'asc' ? 'desc' : 'asc';
}

/** Empty for none. */
function counted(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${formatNumber(count)} ${what}${count === 1 ? '' : 's'}`];
}
