import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '#src/cli/exit-codes.js';
import { buildProgram } from '#src/cli/program.js';
import { havePeer } from '../support/peers.js';

const manifestAt = new URL('../../../package.json', import.meta.url);
const manifest = JSON.parse(readFileSync(manifestAt, 'utf8')) as { readonly man: readonly [string] };
/** The same path as npm installs; package.json has a list. */
const path = fileURLToPath(new URL(manifest.man[0], manifestAt));

test('the manual page has every command with its options and operands, and every exit code', () => {
  const page = readFileSync(path, 'utf8');
  const sections = new Map(page.split(/^\.S[hs] /m).map((part) => [part.slice(0, part.indexOf('\n')), part]));
  for (const command of buildProgram().commands) {
    const section = sections.get(`viaduct ${command.name()}`) ?? '';
    const heads = section.split('\n').filter((line) => line.startsWith('.It '));
    for (const { long, short } of command.options) {
      for (const flag of [long, short].filter((given) => given !== undefined)) {
        const named = heads.some((head) => `${head} `.includes(` Fl ${flag.slice(1)} `));
        assert.ok(named, `${command.name()} ${flag}`);
      }
    }
    for (const operand of command.registeredArguments) {
      assert.ok(
        heads.some((head) => head.startsWith(`.It Ar ${operand.name()}`)),
        operand.name(),
      );
    }
    assert.ok(sections.get('SYNOPSIS')?.includes(`.Cm ${command.name()}\n`), command.name());
  }
  for (const [code, meaning] of EXIT_CODES) {
    assert.ok(sections.get('EXIT STATUS')?.includes(`.It ${code}\n${meaning}\n`), code);
  }
});

test('mandoc reports no problem', (t) => {
  if (!havePeer(t, 'mandoc')) return;
  const lint = spawnSync('mandoc', ['-T', 'lint', path], { encoding: 'utf8' });
  // Whether the pages of curl and ssh are installed does not matter.
  const remarks = `${lint.stdout}${lint.stderr}`.split('\n').filter((line) => !line.includes('mandoc.db'));
  assert.deepEqual(remarks, ['']);
});

test('groff reports no problem and shows options as they are typed', (t) => {
  if (!havePeer(t, 'groff')) return;
  const shown = spawnSync('groff', ['-mdoc', '-Tutf8', '-P-cbou', '-ww', path], { encoding: 'utf8' });
  assert.equal(shown.stderr, '');
  assert.match(shown.stdout, /^ +viaduct server \[options\] \[port\]$/m);
  assert.match(shown.stdout, /^ +-o, --output file$/m);
});
