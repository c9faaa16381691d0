// Runs the tests: `node build/test/run.js` the fast ones, with `long` the heavy ones, with a path's part
// only the files that contain it. Node 20's runner takes no globs, and later ones no folders.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Mostly waiting for sockets and processes, so more files at once than cores. */
const CONCURRENCY = '4';

const compiled = dirname(fileURLToPath(import.meta.url));
const sources = join(compiled, '../../test');
const [selection = ''] = process.argv.slice(2);
const long = selection === 'long';

const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && file.startsWith('long') === long)
  .filter((file) => long || file.includes(selection))
  .map((file) => relative(process.cwd(), join(compiled, file.replace(/ts$/, 'js'))))
  .toSorted();
if (files.length === 0) throw new Error(`no test file matches "${selection}"`);

const limits = long
  ? ['--test-concurrency=1', '--test-timeout=600000']
  : [`--test-concurrency=${CONCURRENCY}`, '--test-timeout=60000'];
const runner = spawn(process.execPath, ['--test', '--test-reporter=spec', ...limits, ...files], {
  stdio: 'inherit',
});
runner.once('exit', (code) => process.exit(code ?? 1));
