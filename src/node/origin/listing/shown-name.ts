import { visible } from '../../../text.js';

/** What people see of a name: what is no text, or would leave it blank, stands as the code of its character or byte. */
export function shownName(name: string): string {
  const text = visible(name, Infinity);
  if (/[^\s\p{Default_Ignorable_Code_Point}]/u.test(text)) return text;
  return text.replace(/./gsu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
