import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type HostHop, type Source, formatInput } from 'viaduct';
import './identity.js';

/** The program as users run it. */
export const PROGRAM = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A child process whose output is kept and can be waited for. */
export class Child {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or 128 + signal number is not computed here: the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** It has exited and all its output has been read. */
  #closed = false;
  readonly #watchers = new Set<() => void>();

  constructor(t: TestContext, command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.process = spawn(command, args, { ...options, stdio: 'pipe' });
    this.process.stdout?.on('data', (text: Buffer) => this.#heard(() => (this.stdout += text.toString())));
    this.process.stderr?.on('data', (text: Buffer) => this.#heard(() => (this.stderr += text.toString())));
    this.process.stdin?.on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code, signal) => {
        this.#heard(() => (this.#closed = true));
        resolve(code ?? signal ?? 0);
      });
    });
    t.after(async () => {
      if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
      await this.ended.catch(() => {});
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  /** What `look` finds in the output so far; waits for it, and rejects if the process ends without it. */
  async until<T>(look: (child: this) => T | undefined | false | null): Promise<T> {
    for (;;) {
      const found = look(this);
      if (found !== undefined && found !== false && found !== null) return found;
      if (this.#closed) {
        throw new Error(`the process ended first\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #heard(note: () => void): void {
    note();
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }

  /** Open descriptors (proc(5)). */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Processor time so far, in clock ticks (proc(5), stat). */
  get cpuTicks(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  /** Resident and peak resident memory in bytes (proc(5)). */
  get memory(): { readonly resident: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const kib = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN);
    return { resident: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 };
  }
}

/** A line of a node's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A `viaduct server` as users run it, on a free port. Its key is that of all nodes of tests. */
export class NodeProcess extends Child {
  hop: HostHop = { host: '127.0.0.1', port: 0 };

  static async start(
    t: TestContext,
    options: {
      readonly root?: string;
      /** @default a free one */
      readonly port?: number;
      readonly args?: readonly string[];
      /** Options of Node itself. */
      readonly nodeArgs?: readonly string[];
    } = {},
  ): Promise<NodeProcess> {
    const server = [
      PROGRAM,
      'server',
      String(options.port ?? 0),
      '--log-format',
      'json',
      ...(options.args ?? []),
    ];
    const args = [...(options.nodeArgs ?? []), ...server];
    const node = new NodeProcess(t, process.execPath, args, { cwd: options.root });
    const address = await node.until(() => node.log.find(({ msg }) => msg === 'listening')?.['address']);
    node.hop = { host: '127.0.0.1', port: Number(/:(\d+)$/.exec(String(address))?.[1]) };
    return node;
  }

  /** Whole lines of standard output. */
  get lines(): readonly string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  /** The log line that says how a transfer broke; waits for it. */
  failure(): Promise<LogLine> {
    return this.until(() => this.log.find(({ code }) => code !== undefined));
  }

  /** Whole lines of the log. */
  get log(): readonly LogLine[] {
    return this.stderr
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }
}

/** `count` nodes in a row and the route over all of them. */
export async function processChain(
  t: TestContext,
  count: number,
  options: Parameters<typeof NodeProcess.start>[1] = {},
): Promise<{ readonly nodes: readonly NodeProcess[]; readonly route: readonly HostHop[] }> {
  const nodes = await Promise.all(Array.from({ length: count }, () => NodeProcess.start(t, options)));
  return { nodes, route: nodes.map(({ hop }) => hop) };
}

export interface ClientRun {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `viaduct client` in `folder` with an input file of that name and route. */
export function startClient(
  t: TestContext,
  folder: string,
  source: Source,
  args: readonly string[] = [],
): Child {
  writeFileSync(join(folder, 'input.txt'), formatInput(source));
  return new Child(t, process.execPath, [PROGRAM, 'client', 'input.txt', ...args], { cwd: folder });
}

/** Runs the program to its end. */
export async function runViaduct(
  t: TestContext,
  args: readonly string[],
  options: SpawnOptions & { readonly input?: string } = {},
): Promise<ClientRun> {
  const child = new Child(t, process.execPath, [PROGRAM, ...args], options);
  child.process.stdin?.end(options.input ?? '');
  const code = await child.ended;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/** What `viaduct get --json` has told so far. */
export function eventsOf({ stdout }: Pick<Child, 'stdout'>): readonly GetLine[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as GetLine);
}

/** A line of `viaduct get --json`. */
export type GetLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** Starts `viaduct get` in a folder. */
export function startGet(
  t: TestContext,
  folder: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Child {
  const child = new Child(t, process.execPath, [PROGRAM, 'get', ...args], { ...options, cwd: folder });
  child.process.stdin?.end();
  return child;
}
