// Runs the tests: `node build/test/run.js` the fast ones, with `long` or `attack` the heavy ones, with a path's part
// only the files that contain it. Node 20's runner takes no globs, and later ones no folders.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Mostly waiting for sockets and processes, so more processes at once than cores. */
const CONCURRENCY = 6;

/**
 * Unit tests share processes: each would cost 0.3 s of processor time to start and to load the program. A file that
 * changes its process has one of its own.
 */
const GROUPS = 2 * CONCURRENCY;
const CHANGES_PROCESS = /process\.env\['\w+'\] = |hide-koffi\.js'/;

const compiled = dirname(fileURLToPath(import.meta.url));
const sources = join(compiled, '../../test');
const [selection = ''] = process.argv.slice(2);
/** Kinds of tests that are not among the fast ones, and use the machine alone. */
const HEAVY = ['long', 'attack'];
const heavy = HEAVY.find((kind) => kind === selection);

const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && HEAVY.find((kind) => file.startsWith(kind)) === heavy)
  .filter((file) => heavy !== undefined || file.includes(selection))
  .toSorted();
if (files.length === 0) throw new Error(`no test file matches "${selection}"`);

const limits = heavy
  ? ['--test-concurrency=1', '--test-timeout=600000']
  : [`--test-concurrency=${CONCURRENCY}`, '--test-timeout=120000'];
/** Of keys and known hosts, for all tests: those of the user are neither read nor written. */
const state = mkdtempSync(join(tmpdir(), 'viaduct-test-state-'));
const runner = spawn(
  process.execPath,
  ['--test', '--test-reporter=spec', ...limits, ...(heavy ? files.map(compiledPath) : grouped(files))],
  { stdio: 'inherit', env: { ...process.env, XDG_STATE_HOME: state } },
);
runner.once('exit', (code) => {
  rmSync(state, { recursive: true, force: true });
  process.exit(code ?? 1);
});

function compiledPath(file: string): string {
  return relative(process.cwd(), join(compiled, file.replace(/ts$/, 'js')));
}

function isShared(file: string): boolean {
  return file.startsWith('unit') && !CHANGES_PROCESS.test(readFileSync(join(sources, file), 'utf8'));
}

/** The files for the runner: groups import their members. Neighbours, which are alike, are spread over all groups. */
function grouped(all: readonly string[]): string[] {
  const shared = all.filter(isShared);
  const alone = all.filter((file) => !shared.includes(file));
  const folder = join(compiled, 'groups');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const groups = Array.from({ length: Math.min(GROUPS, shared.length) }, (_, index) => {
    const path = join(folder, `group-${String(index + 1).padStart(2, '0')}.test.js`);
    const members = shared.filter((_file, place) => place % GROUPS === index);
    const lines = members.map((file) => `import '../${file.replace(/ts$/, 'js').replaceAll('\\', '/')}';\n`);
    writeFileSync(path, lines.join(''));
    return relative(process.cwd(), path);
  });
  return [...alone.map(compiledPath), ...groups];
}
