/** Text as HTML, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
    '\r': '&#13;',
  };
  return text.replace(/[&<>"'\r]/g, (char) => entities[char] ?? char);
}
