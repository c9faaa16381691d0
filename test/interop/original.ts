import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type HostHop, type Source, formatInput } from 'viaduct';
import { Child } from '../support/processes.js';

/** The programs are Python, which the compiler does not copy: they stand in the source folder. */
const programAt = (name: string): string =>
  fileURLToPath(new URL(`../../../test/interop/${name}`, import.meta.url));

/** A running program that behaves like the original's server. */
export class OriginalServer extends Child {
  hop: HostHop = { host: '127.0.0.1', port: 0 };

  static async start(
    t: TestContext,
    folder: string,
    options: readonly string[] = [],
  ): Promise<OriginalServer> {
    const args = [programAt('original_server.py'), '0', ...options];
    const server = new OriginalServer(t, 'python3', args, { cwd: folder });
    const port = await server.until(() => /^port (\d+)\n/.exec(server.stderr)?.[1]);
    server.hop = { host: '127.0.0.1', port: Number(port) };
    return server;
  }

  /** Whole lines of standard output. */
  get lines(): readonly string[] {
    return this.stdout.split('\n').slice(0, -1);
  }
}

/** Runs a program that behaves like the original's client; returns the bytes that it saved. */
export async function originalClient(
  t: TestContext,
  folder: string,
  source: Source,
  options: readonly string[] = [],
): Promise<Buffer> {
  writeFileSync(join(folder, 'input.txt'), formatInput(source));
  const args = [programAt('original_client.py'), 'input.txt', 'saved', ...options];
  const client = new Child(t, 'python3', args, { cwd: folder });
  const code = await client.ended;
  if (code !== 0) throw new Error(`the original client ended with ${code}: ${client.stderr}`);
  return readFileSync(join(folder, 'saved'));
}
