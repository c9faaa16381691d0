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

/**
 * Dark and light by the reader's choice; no script, no font, nothing to fetch. In a narrow window the time
 * is wrapped, so that names keep their room.
 */
const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
p { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .5rem; text-align: left; vertical-align: baseline; white-space: nowrap; }
th { border-bottom: 1px solid; font-weight: 600; }
td:first-child, th:first-child { overflow-wrap: anywhere; padding-left: 0; white-space: normal; width: 100%; }
td:nth-child(2), th:nth-child(2) { font-variant-numeric: tabular-nums; text-align: right; }
td:nth-child(3), th:nth-child(3) { font-variant-numeric: tabular-nums; padding-right: 0; }
@media (max-width: 40rem) { td:nth-child(3) { white-space: normal; } time span { white-space: nowrap; } }
tr:hover td { background: color-mix(in srgb, currentColor 8%, transparent); }
a { text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
`;

/** The beginning of a page, up to its content. */
export function pageHead(title: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main>
`;
}

export const PAGE_END = '</main></body></html>\n';

/** A whole page around some HTML. */
export function page(title: string, content: string): string {
  return `${pageHead(title)}${content}\n${PAGE_END}`;
}
