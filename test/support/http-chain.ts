import type { TestContext } from 'node:test';
import { urlOf } from './http.js';
import { Child, type ClientRun, NodeProcess } from './processes.js';

/** Nodes as users run them, in a row; the last one is the origin. */
export interface HttpChain {
  readonly nodes: readonly NodeProcess[];
  readonly first: NodeProcess;
  readonly origin: NodeProcess;
  /** The URL of a path at the origin, over every relay. */
  url(path: string): string;
}

/** Starts `relays` nodes and an origin that serves `root`. */
export async function httpChain(t: TestContext, root: string, relays = 3): Promise<HttpChain> {
  const nodes = await Promise.all(Array.from({ length: relays + 1 }, () => NodeProcess.start(t, { root })));
  const [first, origin] = [nodes[0], nodes.at(-1)];
  if (first === undefined || origin === undefined) throw new Error('a chain has an origin');
  return {
    nodes,
    first,
    origin,
    url: (path) =>
      urlOf(
        nodes.map(({ hop }) => hop),
        path,
      ),
  };
}

/**
 * A program that we did not write, in a folder that is its home too: neither the user's settings nor a
 * proxy of the environment have a say.
 */
export function startPeer(t: TestContext, folder: string, command: string, args: readonly string[]): Child {
  const env = { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8' };
  const child = new Child(t, command, args, { cwd: folder, env });
  child.process.stdin?.end();
  return child;
}

/** Runs such a program to its end. */
export async function runPeer(
  t: TestContext,
  folder: string,
  command: string,
  args: readonly string[],
): Promise<ClientRun> {
  const child = startPeer(t, folder, command, args);
  const code = await child.ended;
  return { code, stdout: child.stdout, stderr: child.stderr };
}
