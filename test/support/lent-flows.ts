import { readFileSync, readdirSync } from 'node:fs';
import { settles } from './leaks.js';

const EPOLLET = 0x80000000;
const EPOLLRDHUP = 0x2000;

/** Flows that splice workers of a process have: they wait for the edges of sockets, but not for FIN as its streams do (proc(5), fdinfo). */
export function lentFlows(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  let sockets = 0;
  for (const fd of readdirSync(folder)) {
    let text = '';
    try {
      text = readFileSync(`${folder}/${fd}`, 'utf8');
    } catch {
      continue; // Closed in between.
    }
    for (const [, events = '0'] of text.matchAll(/^tfd:.*events:\s*([0-9a-f]+)/gm)) {
      const bits = Number.parseInt(events, 16);
      if ((bits & EPOLLET) !== 0 && (bits & EPOLLRDHUP) === 0) sockets += 1;
    }
  }
  return sockets / 2;
}

/** Resolves once splice workers have so many flows. */
export function flowsLent(pid: number, wanted: number): Promise<void> {
  return settles(
    () => lentFlows(pid),
    (count) => count === wanted,
    (count) => `${count} flows are lent, not ${wanted}`,
  );
}
