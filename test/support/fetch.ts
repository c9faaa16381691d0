import assert from 'node:assert/strict';
import { type FetchOptions, type Route, ViaductError, fetchFile } from 'viaduct';
import { hopWords } from '#src/route/hop.js';

/** Fetches a file into memory. */
export async function fetchBytes(name: string, route: Route, options: FetchOptions = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await fetchFile({ name, route }, async (chunk) => void chunks.push(Buffer.from(chunk)), options);
  return Buffer.concat(chunks);
}

/** How a fetch that has to fail fails. */
export async function failureOf(fetching: Promise<unknown>): Promise<ViaductError> {
  try {
    await fetching;
  } catch (error) {
    assert.ok(error instanceof ViaductError, String(error));
    return error;
  }
  return assert.fail('the fetch succeeded');
}

export function fetchFailure(name: string, route: Route, options: FetchOptions = {}): Promise<ViaductError> {
  return failureOf(fetchBytes(name, route, options));
}

/** A message of the classic wire with the end mark of viaduct nodes. */
export function messageOf(name: string, route: Route): string {
  return `${name}\n${route.map((hop) => `${hopWords(hop).join(' ')}\n`).join('')}\n`;
}
