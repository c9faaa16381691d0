import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { urlOf } from '../support/http.js';
import { processChain, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const FILES = 100_000;

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a folder of 100,000 files is listed, whole and in order', async (t) => {
      const root = tempFolder(t);
      const names = Array.from({ length: FILES }, (_, index) => `file number ${index} of the folder`);
      for (const name of names) closeSync(openSync(join(root, name), 'w'));
      const { route } = await processChain(t, 2, { root });
      const { code, stdout, stderr } = await runViaduct(t, ['ls', ...wire.args, urlOf(route, '/')]);
      assert.deepEqual([code, stderr], [0, '']);
      // Not deepEqual, which would show the difference of two such lists.
      assert.ok(stdout === `${names.join('\n')}\n`, 'each name once, in the order of their numbers');
    });
  });
