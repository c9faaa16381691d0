// Runs the tests: `node build/test/run.js` the fast ones, with `slow` those that take more processor time, with `long` or
// `attack` the heavy ones, and with a path's part those fast and slow files that contain it. Node 20's runner takes no globs,
// and later ones no folders.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Mostly waiting for sockets and processes, so more processes at once than cores. */
const CONCURRENCY = 6;

/**
 * Tests without processes of their own share some: each would cost 0.3 to 0.7 s of processor time to start and to load the
 * program. A file that changes its process has one to itself.
 */
const GROUPS = 2 * CONCURRENCY;
const SHARED = /^(?:unit|e2e|fault|docs)\b/;
const CHANGES_PROCESS = /process\.env\['\w+'\] = |hide-koffi\.js'|syncBuiltinESMExports/;

const compiled = dirname(fileURLToPath(import.meta.url));
const sources = join(compiled, '../../test');
const [selection = ''] = process.argv.slice(2);
/** Kinds of tests that are not among the fast ones, and use the machine alone. */
const HEAVY = ['long', 'attack'];
const heavy = HEAVY.find((kind) => kind === selection);

/** Among the others, files for which `npm test` has no time: three seconds of processor time each, or more. */
const SLOW = '.slow.test.ts';

const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && HEAVY.find((kind) => file.startsWith(kind)) === heavy)
  .filter((file) => heavy !== undefined || isSelected(file))
  .toSorted();
if (files.length === 0) throw new Error(`no test file matches "${selection}"`);

/** Of a test, and of a process with all its files: on a slow machine too. */
const limits = heavy
  ? ['--test-concurrency=1', '--test-timeout=600000']
  : [`--test-concurrency=${CONCURRENCY}`, '--test-timeout=480000'];
/** Of keys and known hosts, for all tests: those of the user are neither read nor written. */
const state = mkdtempSync(join(tmpdir(), 'viaduct-test-state-'));
/** Of this run. The runner sorts by path, and groups take longest: they come before `test`. */
const folder = join(compiled, '../groups', String(process.pid));
const runner = spawn(
  process.execPath,
  ['--test', '--test-reporter=spec', ...limits, ...(heavy ? files.map(compiledPath) : grouped(files))],
  {
    stdio: 'inherit',
    env: { ...withoutProxies(process.env), XDG_STATE_HOME: state, XDG_CONFIG_HOME: state },
  },
);
runner.once('exit', (code) => {
  for (const made of [state, folder]) rmSync(made, { recursive: true, force: true });
  process.exit(code ?? 1);
});

function isSelected(file: string): boolean {
  if (selection === '' || selection === 'slow') return file.endsWith(SLOW) === (selection === 'slow');
  return file.includes(selection);
}

/** Of the user: tests dial loopback, where a proxy cannot reach them. */
function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !/^(?:https?|all|no)_proxy$/i.test(name));
  return Object.fromEntries(others);
}

function compiledPath(file: string): string {
  return relative(process.cwd(), join(compiled, file.replace(/ts$/, 'js')));
}

function isShared(file: string): boolean {
  return SHARED.test(file) && !CHANGES_PROCESS.test(readFileSync(join(sources, file), 'utf8'));
}

/** The files for the runner: groups import their members. Neighbours, which are alike, are spread over all groups. */
function grouped(all: readonly string[]): string[] {
  const shared = all.filter(isShared);
  const alone = all.filter((file) => !shared.includes(file));
  mkdirSync(folder, { recursive: true });
  const groups = Array.from({ length: Math.min(GROUPS, shared.length) }, (_, index) => {
    const path = join(folder, `group-${String(index + 1).padStart(2, '0')}.test.js`);
    const members = shared.filter((_file, place) => place % GROUPS === index);
    const lines = members.map(
      (file) => `import '../../test/${file.replace(/ts$/, 'js').replaceAll('\\', '/')}';\n`,
    );
    writeFileSync(path, lines.join(''));
    return relative(process.cwd(), path);
  });
  return [...alone.map(compiledPath), ...groups];
}
