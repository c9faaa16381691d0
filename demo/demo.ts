// The original's demonstration, for real: two node processes, its two routes, what each process prints,
// and whether the file that arrived is the file that was sent. Then the same file over the same route, encrypted.
// Exits non-zero if anything differs. Keys are in a temporary folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Route, formatInput, formatLocation } from 'viaduct';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FILE = 'picture.jpg';
const FILE_BYTES = 5 * 1024 * 1024;
const LIMIT_MS = 20_000;

const proxyLines = (thread: number): string[] => [
  `creating new thread ${thread}`,
  `Working as a proxy in thread ${thread}`,
];
const serverLines = (thread: number): string[] => [
  `creating new thread ${thread}`,
  `Working as a server in thread ${thread}`,
];
const completed = (thread: number): string => `file sending in thread ${thread} completed`;

/** How often the two hosts are passed, and what the original prints on each. */
const ROUTES = [
  {
    passes: 1,
    first: ['the server is ready', ...proxyLines(0), completed(0)],
    second: ['the server is ready', ...serverLines(0), completed(0)],
  },
  {
    passes: 2,
    first: ['the server is ready', ...proxyLines(0), ...proxyLines(1), completed(1), completed(0)],
    second: ['the server is ready', ...proxyLines(0), ...serverLines(1), completed(1), completed(0)],
  },
];

interface NodeProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly pin: string;
  readonly lines: string[];
}

const folder = mkdtempSync(join(tmpdir(), 'viaduct-demo-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
setTimeout(() => {
  process.stderr.write(`the demo did not end within ${LIMIT_MS / 1000} s\n`);
  process.exit(1);
}, LIMIT_MS).unref();

let differences = 0;
for (const route of ROUTES) differences += await show(route);
process.stdout.write(differences === 0 ? 'All as it should be.\n' : `${differences} difference(s)!\n`);
process.exit(differences === 0 ? 0 : 1);

async function show({ passes, first, second }: (typeof ROUTES)[number]): Promise<number> {
  const place = mkdtempSync(join(folder, 'run-'));
  const root = join(place, 'pchost2');
  const here = join(place, 'client');
  for (const path of [root, here]) mkdirSync(path);
  const sent = randomBytes(FILE_BYTES);
  writeFileSync(join(root, FILE), sent);

  const [one, two] = await Promise.all([startNode(place), startNode(root)]);
  const pair: Route = [one, two].map(({ port }) => ({ host: 'localhost', port }));
  const input = formatInput({ name: FILE, route: Array.from({ length: passes }, () => pair).flat() });
  writeFileSync(join(here, 'input.txt'), input);

  heading(`Route of ${2 * passes} hops over 2 nodes; input.txt:`);
  print(input);
  const clientExit = await run(['client', 'input.txt'], here);
  await until(() => one.lines.length >= first.length && two.lines.length >= second.length);
  const linesAreRight = same(one.lines, first) && same(two.lines, second);
  heading('\nThe first node printed:');
  print(`${one.lines.join('\n')}\n`);
  heading('\nThe second node printed:');
  print(`${two.lines.join('\n')}\n`);
  const received = readFileSync(join(here, FILE));
  heading('\nSHA-256 of the file that was sent and of the one that came:');
  print(`${sha256(sent)}\n${sha256(received)}\n\n`);

  const location = formatLocation({
    route: Array.from({ length: passes }, () => pair).flat(),
    path: `/${FILE}`,
  });
  const encrypted = 'encrypted.jpg';
  heading('The same, encrypted, if the second node has this pin:');
  const getExit = await run(['get', '--pin', two.pin, '-o', encrypted, location], here);
  heading('\nSHA-256 of the one that came encrypted:');
  print(`${sha256(readFileSync(join(here, encrypted)))}\n\n`);

  for (const { child } of [one, two]) child.kill();
  const checks = [
    sha256(sent) === sha256(received),
    linesAreRight,
    clientExit === 0,
    getExit === 0,
    sha256(readFileSync(join(here, encrypted))) === sha256(sent),
  ];
  return checks.filter((right) => !right).length;
}

/** Runs a command of viaduct, with what it prints. Returns its exit code. */
async function run(args: readonly string[], cwd: string): Promise<number | null> {
  heading(`$ viaduct ${args.join(' ')}`);
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    stdio: 'inherit',
    env: environment('client'),
  });
  children.push(child);
  await once(child, 'exit');
  return child.exitCode;
}

/** With a state folder of its own, so that the keys and known hosts of the user stay as they are. */
function environment(name: string): NodeJS.ProcessEnv {
  // A proxy of the user could not reach this machine.
  return { ...process.env, NO_PROXY: '*', no_proxy: '*', XDG_STATE_HOME: join(folder, 'state', name) };
}

async function startNode(root: string): Promise<NodeProcess> {
  const child = spawn(process.execPath, [PROGRAM, 'server', '0', '--root', root, '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(basename(root)),
  });
  children.push(child);
  let output = '';
  let log = '';
  const lines: string[] = [];
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
    lines.splice(0, lines.length, ...output.split('\n').slice(0, -1));
  });
  child.stderr.on('data', (text: Buffer) => (log += text.toString()));
  const port = await until(() => /"address":"[^"]*:(\d+)"/.exec(log)?.[1]);
  const pin = await until(() => /"pin":"([^"]+)"/.exec(log)?.[1]);
  return { child, port: Number(port), pin, lines };
}

/** What `look` finds, looked for every few milliseconds; the demo's own limit ends a wait in vain. */
async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.join('\n') === right.join('\n');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function heading(text: string): void {
  print(`${process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
