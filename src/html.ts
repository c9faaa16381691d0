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

/** The style of all pages: dark and light by the reader's choice; no script, no font, nothing to fetch. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1d2125; --soft: #59616b; --line: #dde1e6; --hover: #f3f5f8; --link: #0a58ca; --ground: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9ea7b3; --line: #31373f; --hover: #20252b; --link: #7db3ff; --ground: #15181c; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { border-radius: 2px; outline: 2px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.25rem; font-weight: 600; line-height: 1.4; margin: .25rem 0 1rem; overflow-wrap: anywhere; }
p { overflow-wrap: anywhere; }
`;

export interface PageParts {
  /** Style besides that of all pages. */
  readonly style?: string;
  /** More elements of the head. */
  readonly head?: string;
}

/** The beginning of a page, up to its content. */
export function pageHead(title: string, { style = '', head = '' }: PageParts = {}): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}${style}</style>${head}</head>
<body>
`;
}

export const PAGE_END = '</body></html>\n';

/** A whole page around some HTML. */
export function page(title: string, content: string, parts?: PageParts): string {
  return `${pageHead(title, parts)}<main>${content}</main>\n${PAGE_END}`;
}
