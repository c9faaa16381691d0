import { escapeHtml } from '../../../html.js';
import type { Field } from '../../../wire/http/head.js';

/** Of pages of the gateway itself: nothing but their own style, in no frame. */
export const PAGE_POLICY: readonly Field[] = policy('');

/** The same with one script, which may ask the gateway. */
export function scriptPolicy(nonce: string): readonly Field[] {
  return policy(`script-src 'nonce-${nonce}'; connect-src 'self'; `);
}

function policy(more: string): readonly Field[] {
  return [
    [
      'Content-Security-Policy',
      `default-src 'none'; style-src 'unsafe-inline'; ${more}base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    ],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ];
}

/** Dark and light by the reader's choice. In a narrow window tables can be scrolled. */
const STYLE = `
:root { color-scheme: light dark; }
body { background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
a { color: LinkText; }
h1, h2 { font-size: 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
p { overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: baseline; }
th { border-bottom: 1px solid; font-weight: 600; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.text { min-width: 12rem; overflow-wrap: anywhere; white-space: normal; }
progress { width: 8rem; }
.good, .bad { border-left: .3rem solid; padding-left: .75rem; }
.good { border-color: #1a7f37; } .bad { border-color: #cf222e; }
`;

/**
 * A whole page around some HTML.
 * @param head more elements of its head
 */
export function page(title: string, content: string, head = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>${head}</head>
<body><main>
${content}
</main></body></html>
`;
}
