import type { Version } from '../../../files/version.js';
import type { OriginFile } from '../origin-file.js';

/**
 * Checks that another route leads to the same file: to the same version at the same origin, or at another one to a file of the
 * same size and SHA-256.
 * @returns its version there
 * @throws ViaductError CHANGED if it is another file; as {@link OriginFile.digest}
 */
export async function sameFile(origin: OriginFile, version: Version, other: OriginFile): Promise<Version> {
  const found = other.versionOf(await other.describe());
  if (found.size !== version.size)
    throw other.error('CHANGED', `has another file: ${found.size} bytes instead of ${version.size}`);
  if (found.etag === version.etag) return found;
  if (found.etag === undefined) throw other.error('CHANGED', 'has no strong ETag to identify the file');
  const [own, its] = await Promise.all([origin.digest(version), other.digest(found)]);
  if (own.digest !== its.digest) throw other.error('CHANGED', 'has another file: its SHA-256 differs');
  return found;
}
