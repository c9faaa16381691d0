import { extname } from 'node:path';
import { mimeOf } from '../mime.js';

/** A file with its corner folded; what it is stands on it. */
const SHEET = 'M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3';

/** Lines on a square of 16, by kind of entry. */
const ICONS = {
  up: 'M8 13.5v-10M3.5 8 8 3.5 12.5 8',
  folder: 'M1.5 13.5v-11h4.5l2 2h6.5v9z',
  file: SHEET,
  text: `${SHEET}M5.5 7.5h5M5.5 9.5h5M5.5 11.5h3`,
  document: `${SHEET}M5.5 7.5h5v4h-5z`,
  archive: 'M1.5 2.5h13v3h-13zM2.5 5.5v8h11v-8M6.5 8.5h3',
  picture: 'M1.5 2.5h13v11h-13zM1.5 11.5l4-4 3 3 2-2 4 4M10 5.5h1',
  audio:
    'M5.5 12.5v-10l8-1v10M5.5 12.5a1.8 1.5 0 1 1-3.6 0a1.8 1.5 0 1 1 3.6 0M13.5 11.5a1.8 1.5 0 1 1-3.6 0a1.8 1.5 0 1 1 3.6 0',
  video: 'M1.5 2.5h13v11h-13zM6.5 5.5l4 2.5-4 2.5z',
} as const;

type IconName = keyof typeof ICONS;

const ARCHIVES = new Set(['7z', 'bz2', 'gz', 'iso', 'rar', 'tar', 'tgz', 'txz', 'xz', 'zip', 'zst']);
/** Extensions without a registered type. */
const AUDIO = new Set(['flac', 'wma']);
const VIDEO = new Set(['avi', 'flv', 'mkv', 'wmv']);
const DOCUMENTS = /^application\/(?:pdf|rtf|msword|epub\+zip|vnd\.(?:ms-|oasis|openxmlformats).*)$/;
const TEXTS = /^text\/|^application\/(?:json|.*javascript|x-sh|xml|toml|sql|.*\+xml|.*\+json)$/;

/** The drawings of all icons, to stand once in a page. */
export const ICON_SYMBOLS = `<svg hidden>${Object.entries(ICONS)
  .map(([name, path]) => `<symbol id="i-${name}" viewBox="0 0 16 16"><path d="${path}"/></symbol>`)
  .join('')}</svg>`;

/** An icon. It shows nothing that the text beside it does not say. */
export function icon(name: IconName): string {
  return `<svg class="${name}" aria-hidden="true"><use href="#i-${name}"/></svg>`;
}

/** By the extension. */
export function iconOf(name: string): IconName {
  const type = mimeOf(name) ?? '';
  const [major = ''] = type.split('/');
  if (major === 'image') return 'picture';
  if (major === 'audio' || major === 'video') return major;
  const extension = extname(name).slice(1).toLowerCase();
  if (ARCHIVES.has(extension)) return 'archive';
  if (AUDIO.has(extension)) return 'audio';
  if (VIDEO.has(extension)) return 'video';
  if (DOCUMENTS.test(type)) return 'document';
  return TEXTS.test(type) ? 'text' : 'file';
}
