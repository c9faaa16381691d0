import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { type ReadEntry, readTar } from './tar.js';
import { type StrictReply, ask, get, headOf } from './wire-replies.js';

/** Asks for the archive of a folder. */
export function askTar(
  t: TestContext,
  hop: HostHop,
  path: string,
  ...fields: readonly string[]
): Promise<StrictReply> {
  return ask(t, hop, get(`${path}?tar`, ...fields));
}

/** Its head alone. */
export function headTar(t: TestContext, hop: HostHop, path: string): Promise<StrictReply> {
  return ask(t, hop, headOf(`HEAD ${path}?tar HTTP/1.1`));
}

/** What is in the archive of a folder, by name. */
export async function tarEntries(
  t: TestContext,
  hop: HostHop,
  path: string,
): Promise<ReadonlyMap<string, ReadEntry>> {
  const { status, body } = await askTar(t, hop, path);
  assert.equal(status, 200, body.toString());
  return new Map(readTar(body).entries.map((entry) => [entry.name, entry]));
}
