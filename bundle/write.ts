// Writes dist/bundle, as a part of the build: the modules of the command line in a few files, since Node takes
// longer to load 80 small modules than `viaduct get` takes to fetch a small file. The compiled modules stay as
// they are; the library, the worker threads and the unit tests use them.
import { build as bundle } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const outdir = `${root}dist/bundle`;

rmSync(outdir, { recursive: true, force: true });
await bundle({
  entryPoints: [`${root}dist/cli/program.js`],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  plugins: [
    {
      // `new URL('worker.js', import.meta.url)` finds the same file as in the module that was bundled.
      name: 'keep import.meta.url',
      setup: (build) => {
        build.onLoad({ filter: /\.js$/ }, ({ path }) => {
          const module = JSON.stringify(relative(outdir, path));
          const text = readFileSync(path, 'utf8');
          return { contents: text.replaceAll('import.meta.url', `new URL(${module}, import.meta.url).href`) };
        });
      },
    },
  ],
});
