import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testChain } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { Child } from '../support/processes.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
const NAME = 'a file with spaces';

/** Each reads the request on standard input and writes the reply to standard output. */
const PROGRAMS: readonly (readonly [string, string, string])[] = [
  ['nc', 'nc without FIN', 'nc 127.0.0.1 "$PORT"'],
  ['nc', 'nc with FIN', 'nc -N 127.0.0.1 "$PORT"'],
  ['socat', 'socat with FIN', 'socat -t 30 - TCP:127.0.0.1:"$PORT"'],
  ['socat', 'socat without FIN', 'socat -t 30 - TCP:127.0.0.1:"$PORT",shut-none'],
];

/** Formats of printf(1) for the file name and for one further hop. */
const REQUESTS: readonly (readonly [string, string])[] = [
  ['without a final newline', '%s\\n%s'],
  ['with a final newline', '%s\\n%s\\n'],
  ['with CRLF', '%s\\r\\n%s\\r\\n'],
  ['with an empty line at the end', '%s\\n%s\\n\\n'],
];

for (const [program, label, command] of PROGRAMS) {
  for (const [how, format] of REQUESTS) {
    test(`${label}, request ${how}: 5 MiB over two nodes`, async (t) => {
      if (!havePeer(t, program)) return;
      const root = tempFolder(t);
      const bytes = randomFile(root, NAME, 5 * MIB);
      const { route } = await testChain(t, 2, { root });
      const [first, second] = route.map(({ port }) => String(port));
      const folder = tempFolder(t);
      const script = `printf "$FORMAT" "$NAME" "$HOP" | ${command} > saved`;
      const env = { ...process.env, FORMAT: format, NAME, HOP: `localhost ${second}`, PORT: first };
      const shell = new Child(t, 'sh', ['-c', script], { cwd: folder, env });
      assert.equal(await shell.ended, 0, shell.stderr);
      assert.equal(sha256(readFileSync(join(folder, 'saved'))), sha256(bytes));
    });
  }
}

for (const [flags, how] of [
  ['', 'without FIN'],
  ['-N', 'with FIN'],
  ['-q 2', 'with FIN, staying 2 s whatever comes'],
] as const) {
  test(`printf 'name' | nc ${how}: one node, no newline at all`, async (t) => {
    if (!havePeer(t, 'nc')) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, 'name', 100_000);
    const { route } = await testChain(t, 1, { root });
    const folder = tempFolder(t);
    const script = `printf 'name' | nc ${flags} 127.0.0.1 ${route[0]?.port} > saved`;
    const shell = new Child(t, 'sh', ['-c', script], { cwd: folder });
    assert.equal(await shell.ended, 0, shell.stderr);
    assert.equal(sha256(readFileSync(join(folder, 'saved'))), sha256(bytes));
  });
}
