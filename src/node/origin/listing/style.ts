/** The style of a listing. In a narrow window the time is wrapped and the columns are closer, so that names keep their room. */
export const STYLE = `
h1 a { text-decoration: underline 1px color-mix(in srgb, currentColor 45%, transparent); text-underline-offset: .2em; }
h1 a[aria-label] { margin-left: -.5em; padding-left: .5em; }
svg { fill: none; flex: none; height: 1rem; stroke: currentColor; stroke-linejoin: round; width: 1rem; }
[hidden] { display: none; }
.route { color: var(--soft); display: flex; flex-wrap: wrap; font-size: .875rem; list-style: none; margin: 0; padding: 0; }
.route li + li::before { content: "→"; content: "→" / ""; margin: 0 .5rem; }
.here { color: var(--ink); }
.bar { align-items: center; display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; margin-bottom: .75rem; }
.bar p, .note { color: var(--soft); font-size: .875rem; margin: 0; }
form { align-items: center; display: flex; font-size: .875rem; gap: .5rem; }
input, button { background: var(--ground); border: 1px solid color-mix(in srgb, var(--soft) 70%, transparent); border-radius: 6px; color: inherit; font: inherit; font-size: .875rem; padding: .25rem .625rem; }
input { min-width: 0; width: 14rem; }
::placeholder { color: var(--soft); opacity: 1; }
button { cursor: pointer; }
.bar p { flex: 1; }
.download { color: var(--soft); flex: none; }
button:hover { background: var(--hover); }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; width: 100%; }
th { background: var(--ground); border-bottom: 1px solid var(--line); color: var(--soft); font-size: .875rem; font-weight: 500; position: sticky; top: 0; z-index: 1; }
th a { color: inherit; }
[aria-sort] a { color: var(--ink); font-weight: 600; }
th, td { padding: .3125rem .75rem; text-align: left; vertical-align: baseline; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
th:nth-child(2), td:nth-child(2) { text-align: right; }
td:first-child { font-size: 1rem; overflow-wrap: anywhere; padding-left: 2.25rem; position: relative; white-space: normal; width: 100%; }
td svg { left: .625rem; position: absolute; top: .5625rem; }
td a { color: var(--ink); unicode-bidi: isolate; }
td a::after { content: ""; inset: 0; position: absolute; }
.folder { color: var(--link); fill: color-mix(in srgb, currentColor 20%, transparent); }
tr:hover td { background: var(--hover); }
.pages { display: flex; flex-wrap: wrap; font-size: .875rem; gap: .25rem 1.25rem; justify-content: center; margin: 1rem 0; color: var(--soft); }
.note { margin-top: 1rem; }
@media (max-width: 40rem) {
  body { padding: 1rem .5rem 2rem; }
  h1, .route, .bar, .note { margin-left: .25rem; margin-right: .25rem; }
  form { flex: 1; }
  input { flex: 1; font-size: 1rem; }
  th, td { padding: .4375rem .375rem; white-space: normal; }
  th { vertical-align: bottom; }
  td:nth-child(2) { white-space: nowrap; }
  td:first-child { padding-left: 2rem; }
  td:not(:first-child) { font-size: .8125rem; line-height: 1.25; }
  td svg { left: .375rem; top: .6875rem; }
  time span { display: block; white-space: nowrap; }
}
`;
