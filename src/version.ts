import { createRequire } from 'node:module';

/** The version of this package. */
export const VERSION = versionOf(createRequire(import.meta.url)('../package.json'));

function versionOf(manifest: unknown): string {
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}
