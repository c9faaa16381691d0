/*
 * HTTP-date (RFC 9110 §5.6.7): a recipient accepts all three forms, and what has none of them is no date.
 * `Date.parse` takes much more, and reads the form of asctime in the local time zone.
 */
const FORMS = [
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/,
];

/** Milliseconds since 1970, or undefined if the text is no date. */
export function parseHttpDate(text: string): number | undefined {
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const { day = '', month = '', year = '', time = '' } = parts;
  const date = Date.parse(`${day.trim()} ${month} ${year.length === 2 ? century(year) : year} ${time} GMT`);
  return Number.isNaN(date) ? undefined : date;
}

/** A year of two digits that seems to be more than 50 years ahead is one of the past. */
function century(digits: string): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + Number(digits);
  return year > now + 50 ? year - 100 : year;
}

/** The last moment that an HTTP-date can name. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);

/** A file's time as one that can be written: some file systems keep times beyond. */
export function writableDate(ms: number): Date {
  return new Date(Math.min(Math.max(ms, 0), LAST) || 0);
}
