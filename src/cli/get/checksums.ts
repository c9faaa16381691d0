import { get } from '../../client/get/get.js';
import type { GetOptions } from '../../client/get/options.js';
import { ViaductError, withContext } from '../../errors.js';
import { Checksums } from '../../files/checksum-file.js';
import { type Location, formatLocation, parseLocation } from '../../route/location.js';
import { withoutLink, withoutTokens } from '../../route/share-link.js';
import { visible } from '../../text.js';
import { withNamedRoute } from '../config/named-route.js';
import type { CommandContext } from '../context.js';
import { readWhole } from '../input.js';
import type { GetCommandOptions } from './options.js';

/** Of a million files with long paths. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The list of `--checksum-file`. A local file is read at once; one at a location is fetched by the function that is returned.
 * @throws ViaductError READ_FAILED; BAD_ROUTE; USAGE if standard input is read twice
 */
export async function checksumsFrom(
  { checksumFile, route }: GetCommandOptions,
  context: CommandContext,
): Promise<(settings: GetOptions) => Promise<Checksums | undefined>> {
  if (checksumFile === undefined) return async () => undefined;
  if (isLocation(checksumFile)) {
    const location = parseLocation(await withNamedRoute(checksumFile));
    if (location.path.endsWith('/'))
      throw new ViaductError(
        'USAGE',
        `--checksum-file ${visible(withoutTokens(checksumFile))} is a folder, not a file`,
      );
    return (settings) => fetched(location, settings);
  }
  if (checksumFile === '-' && route === '-')
    throw new ViaductError('USAGE', 'only one of --checksum-file and --route can be standard input');
  const { bytes, label } = await readWhole(checksumFile, context, MAX_BYTES);
  const checksums = Checksums.parse(bytes, label);
  return async () => checksums;
}

/** As scp tells them apart: a location has a colon before the first slash, so that `./a:b` is a file. */
function isLocation(text: string): boolean {
  const isDrive = process.platform === 'win32' && /^[a-z]:[\\/]/i.test(text);
  return /^[^/]+:/.test(text) && !isDrive;
}

/** @throws ViaductError as {@link get}, READ_FAILED */
async function fetched(location: Location, settings: GetOptions): Promise<Checksums> {
  const label = formatLocation({ ...location, path: withoutLink(location.path) });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await get(
      location,
      async (chunk) => {
        length += chunk.length;
        if (length > MAX_BYTES) throw new ViaductError('READ_FAILED', `${label} is too large`);
        chunks.push(Buffer.from(chunk));
      },
      { ...settings, also: undefined },
    );
  } catch (error) {
    throw withContext(error, (message) => `--checksum-file: ${message}`);
  }
  return Checksums.parse(Buffer.concat(chunks), label);
}
