// Writes dist/bundle, as a part of the build: the command line in a few files, since Node takes longer to load
// 80 small modules than `viaduct get` takes to fetch a small file. The compiled modules stay as they are; the
// library, the worker threads and the unit tests use them.
import { type Plugin, build as bundle } from 'esbuild';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const outdir = `${root}dist/bundle`;

/** `new URL('worker.js', import.meta.url)` finds the same file as in the module that was bundled. */
const keepUrls: Plugin = {
  name: 'keep import.meta.url',
  setup: (build) => {
    build.onLoad({ filter: /\/dist\/.+\.js$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const module = JSON.stringify(relative(outdir, path));
      const text = readFileSync(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', `new URL(${module}, import.meta.url).href`) };
    });
  },
};

/** Loads the commands other than `server` as one file: they share most modules, which would be a file each. */
const mergeCommands: Plugin = {
  name: 'merge commands',
  setup: (build) => {
    build.onResolve({ filter: /^\.\/run\.js$/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && !importer.endsWith('/server/command.js')
        ? { path: 'commands', namespace: 'merged' }
        : undefined,
    );
    build.onLoad({ filter: /^/, namespace: 'merged' }, () => ({
      contents: [
        'get',
        'cat',
        'ls',
        'open',
        'trace',
        'client',
        'identity',
        'authorize',
        'share',
        'known',
        'parked',
        'config',
        'completion',
      ]
        .map((name) => `export * from './${name}/run.js';`)
        .join('\n'),
      resolveDir: `${root}dist/cli`,
    }));
  },
};

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await bundle({
  absWorkingDir: root,
  entryPoints: ['dist/cli/program.js'],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // They load files of their own.
  external: ['koffi', 'open', 'pino', 'pino-pretty'],
  // Bundled CommonJS packages call it for modules of Node.
  banner: {
    js: `import { createRequire as createBundleRequire } from 'node:module';
const require = createBundleRequire(import.meta.url);`,
  },
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
  plugins: [keepUrls, mergeCommands],
});

// The bundled packages ask that their licences come with them.
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
);
const licences = [...packages].toSorted().map((folder) => {
  const name = folder.replace('node_modules/', '');
  for (const file of ['LICENSE', 'license', 'LICENSE.txt', 'LICENSE.md']) {
    try {
      return `${name}\n\n${readFileSync(`${root}${folder}/${file}`, 'utf8').trim()}\n`;
    } catch {}
  }
  throw new Error(`no licence found in ${folder}`);
});
writeFileSync(`${outdir}/LICENCES.txt`, licences.join(`\n${'-'.repeat(80)}\n\n`));
