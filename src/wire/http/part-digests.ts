import { ViaductError } from '../../errors.js';
import { parseJsonObject } from '../../json.js';

/** The field of a request for the digests of a file's parts, in lower case; its value is `sha-256`. */
export const PART_DIGESTS = 'viaduct-want-part-digests';

/** SHA-256 of the parts of a file, in order, as base64. */
export interface FileParts {
  /** Of each but the last. */
  readonly partBytes: number;
  readonly sha256: readonly string[];
}

/** @param size of the file @throws ViaductError BAD_REPLY, with a message that follows the hop's name */
export function parsePartDigests(text: string, size: number): FileParts {
  const { partBytes, sha256 } = parseJsonObject(text) ?? {};
  const isWhole =
    typeof partBytes === 'number' &&
    Number.isSafeInteger(partBytes) &&
    partBytes > 0 &&
    Array.isArray(sha256) &&
    sha256.every((digest): digest is string => typeof digest === 'string') &&
    sha256.length === Math.ceil(size / partBytes);
  if (!isWhole) throw new ViaductError('BAD_REPLY', 'sent no digests of the parts of the file');
  return { partBytes, sha256 };
}
