import { STYLE } from './page-style.js';

/** Text as HTML, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
    // HTML would read a bare CR as LF.
    '\r': '&#13;',
  };
  return text.replace(/[&<>"'\r]/g, (char) => entities[char] ?? char);
}

const NUMBERS = new Intl.NumberFormat('en');

/** A number as people read it: `1,234`. */
export function formatNumber(value: number): string {
  return NUMBERS.format(value);
}

/** The beginning of a page, up to its content. */
export function pageHead(title: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>
`;
}

export const PAGE_END = '</body></html>\n';

/** A whole page around some HTML. */
export function page(title: string, content: string): string {
  return `${pageHead(title)}<main>${content}</main>\n${PAGE_END}`;
}
