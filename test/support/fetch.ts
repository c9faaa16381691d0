import assert from 'node:assert/strict';
import { type FetchOptions, type Route, ViaductError, fetchFile } from 'viaduct';

/** Fetches a file into memory. */
export async function fetchBytes(name: string, route: Route, options: FetchOptions = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await fetchFile({ name, route }, async (chunk) => void chunks.push(Buffer.from(chunk)), options);
  return Buffer.concat(chunks);
}

/** How a fetch that has to fail fails. */
export async function fetchFailure(
  name: string,
  route: Route,
  options: FetchOptions = {},
): Promise<ViaductError> {
  try {
    await fetchBytes(name, route, options);
  } catch (error) {
    assert.ok(error instanceof ViaductError, String(error));
    return error;
  }
  return assert.fail('the fetch succeeded');
}
