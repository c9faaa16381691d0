import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatLocation, type NodeEvent } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { runViaduct, startGet } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const FOLDERS = 500;
const FILES_IN_EACH = 20;

for (const wire of WIRES)
  describe(wire.name, () => {
    test('10,000 files in 500 folders: killed, and resumed', async (t) => {
      const root = tempFolder(t);
      for (let folder = 0; folder < FOLDERS; folder += 1) {
        mkdirSync(join(root, `folder ${folder}`));
        for (let file = 0; file < FILES_IN_EACH; file += 1)
          writeFileSync(join(root, `folder ${folder}`, `file ${file}`), `${folder} ${file}\n`);
      }
      const { nodes, route } = await testChain(t, 3, { root });
      const served = (): number =>
        new Set(
          (nodes[2]?.events ?? []).flatMap((event: NodeEvent) =>
            event.type === 'serving' && !event.name.endsWith('/') && event.name !== '' ? [event.name] : [],
          ),
        ).size;
      const folder = tempFolder(t);
      const args = [...wire.args, '-r', formatLocation({ route, path: '/' }), '-o', 'tree'];
      const first = startGet(t, folder, args);
      while (served() < 3000) await new Promise((resolve) => setTimeout(resolve, 50));
      first.process.kill('SIGKILL');
      await first.ended;
      const saved = readdirSync(join(folder, 'tree'), { recursive: true, encoding: 'utf8' }).filter((name) =>
        /file \d+$/.test(name),
      ).length;
      assert.ok(saved > 0);
      const second = await runViaduct(t, ['get', ...args], { cwd: folder });
      assert.equal(second.code, 0, second.stderr);
      const [, files, skipped] = /^(\d+) files .* (\d+) skipped\n$/.exec(second.stdout) ?? [];
      t.diagnostic(second.stdout);
      assert.deepEqual([Number(files), Number(skipped)], [FOLDERS * FILES_IN_EACH - saved, saved]);
      execFileSync('diff', ['-r', root, join(folder, 'tree')]);
      const third = await runViaduct(t, ['get', ...args], { cwd: folder });
      assert.match(third.stdout, /^0 files .* 10000 skipped\n$/);
    });
  });
