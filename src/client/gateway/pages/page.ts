import { page } from '../../../html.js';
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

/** The style of the gateway's pages. In a narrow window tables can be scrolled. */
const STYLE = `
h2 { font-size: 1.1rem; font-weight: 600; margin-top: 2rem; overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3125rem .75rem .3125rem 0; text-align: left; vertical-align: baseline; white-space: nowrap; }
th { color: var(--soft); font-size: .875rem; font-weight: 500; }
td { font-variant-numeric: tabular-nums; }
td.text { min-width: 12rem; overflow-wrap: anywhere; white-space: normal; }
progress { width: 8rem; }
.good, .bad { border-left: .3rem solid; padding-left: .75rem; }
.good { border-color: #1a7f37; } .bad { border-color: #cf222e; }
`;

/**
 * A whole page of the gateway around some HTML.
 * @param head more elements of its head
 */
export function gatewayPage(title: string, content: string, head = ''): string {
  return page(title, content, { style: STYLE, head });
}
