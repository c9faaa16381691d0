import assert from 'node:assert/strict';
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { get } from '#src/client/get/get.js';
import { testChain } from '../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { WIRES } from '../../../support/wires.js';

const TIME = new Date('2020-02-29T12:34:56Z');

for (const wire of WIRES)
  describe(wire.name, () => {
    for (const verify of [true, false]) {
      test(`a single file keeps the modification time of the origin (${verify ? '' : 'not '}verified)`, async (t) => {
        const root = tempFolder(t);
        const bytes = randomFile(root, 'file', 1000);
        utimesSync(join(root, 'file'), TIME, TIME);
        const { route } = await testChain(t, 2, { root });
        const target = join(tempFolder(t), 'copy');
        await get({ route, path: '/file' }, target, { ...wire.options, verify });
        assert.ok(readFileSync(target).equals(bytes));
        assert.equal(statSync(target).mtime.toISOString(), TIME.toISOString());
      });
    }
  });
