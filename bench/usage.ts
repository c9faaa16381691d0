import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** What a process and its children have used so far, from proc(5). */
export interface Usage {
  /** User and system time. */
  readonly cpuSeconds: number;
  /** Voluntary and involuntary, of all threads that there are. */
  readonly switches: number;
}

/** What a process and its children hold now. */
export interface Holding {
  readonly rssBytes: number;
  readonly descriptors: number;
  /** Each pipe once, whichever of its ends are open. */
  readonly pipes: number;
}

/** USER_HZ, which Linux has fixed at 100 for everything in proc(5). */
const TICKS_PER_SECOND = 100;

/** User and system time of all children of this process that have ended and been waited for. */
export function endedChildrenCpuSeconds(): number {
  return sum(cpuTicks('self').slice(2)) / TICKS_PER_SECOND;
}

export function usageOf(root: number): Usage {
  const all = family(root).map((pid) => ({
    cpuSeconds: sum(cpuTicks(pid)) / TICKS_PER_SECOND,
    switches: sum(
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
        return sum([...status.matchAll(/ctxt_switches:\s+(\d+)/g)].map(([, count]) => Number(count)));
      }),
    ),
  }));
  return {
    cpuSeconds: sum(all.map(({ cpuSeconds }) => cpuSeconds)),
    switches: sum(all.map(({ switches }) => switches)),
  };
}

export function holdingOf(root: number): Holding {
  const pids = family(root);
  const targets = pids.map((pid) =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
  );
  return {
    rssBytes: sum(
      pids.map(
        (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
      ),
    ),
    descriptors: sum(targets.map(({ length }) => length)),
    pipes: new Set(targets.flat().filter((target) => target.startsWith('pipe:'))).size,
  };
}

/** The most descriptors that a process may open. */
export function descriptorLimit(pid: number): number {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1]);
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/**
 * The 14th to 17th fields, counted here from the one after the command in parentheses: utime, stime, cutime and
 * cstime. The last two are of children that have ended, as socat has one for each connection.
 */
function cpuTicks(pid: number | 'self'): number[] {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '');
  return fields.split(' ').slice(11, 15).map(Number);
}

/** A descriptor may be closed while we look. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
