import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildProgram } from '#src/cli/program.js';
import { havePeer } from '../support/peers.js';
import { type Child, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

/** How each shell is started without user settings and prepared for a command line. */
const shells = {
  bash: {
    command: ['bash', '--noprofile', '--norc', '-i'],
    setUp: `viaduct() { printf '<%s>' "$@"; echo; }; source ./script; PS1='ready''> '`,
  },
  zsh: {
    command: ['zsh', '-f', '-i'],
    setUp: `viaduct() { printf '<%s>' "$@"; echo }; autoload -Uz compinit; compinit -D -u; source ./script; PS1='ready''> '`,
  },
  fish: {
    command: ['fish', '--no-config', '-i'],
    setUp: `function viaduct; printf '<%s>' $argv; echo; end; function fish_prompt; echo -n 'ready''> '; end; source ./script`,
  },
} as const;

/** What is typed, where `⇥` is the Tab key, and the command that the shell runs. */
const lines: readonly (readonly [what: string, typed: string, run: RegExp])[] = [
  [
    'a command, an option, a file with a space',
    'cl⇥--outp⇥sav⇥',
    /^<client><--output[=><]+saved here\.bin>$/,
  ],
  ['a file, where a folder is possible too', 'get -o sav⇥', /^<get><-o><saved here\.bin>$/],
  ['an operand that is a file', 'client inp⇥', /^<client><input\.txt>$/],
  ['a value among choices', 'server --clients o⇥', /^<server><--clients><observed>$/],
  ['a value after =', 'server --log-format=pr⇥', /^<server><--log-format=pretty>$/],
  ['a folder, although a file has a similar name', 'server --root pub⇥', /^<server><--root><public\/?>$/],
  ['an operand among choices', 'completion fi⇥', /^<completion><fish>$/],
  ['no file where none is expected', 'server --host inp⇥x', /^<server><--host><inpx>$/],
  ['a command to get help on', 'help ser⇥', /^<help><server>$/],
];

async function startShell(t: TestContext, name: keyof typeof shells): Promise<Child> {
  const folder = tempFolder(t);
  const script = await runViaduct(t, ['completion', name]);
  assert.equal(script.stderr, '');
  writeFileSync(join(folder, 'script'), script.stdout);
  writeFileSync(join(folder, 'saved here.bin'), '');
  writeFileSync(join(folder, 'input.txt'), '');
  writeFileSync(join(folder, 'pub.txt'), '');
  mkdirSync(join(folder, 'public'));
  const { command, setUp } = shells[name];
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  const shell = onTerminal(t, [], { cwd: folder, env, command, columns: 200 });
  shell.process.stdin?.write(`${setUp}\n`);
  await shell.until(({ stdout }) => stdout.includes('ready> '));
  return shell;
}

for (const name of ['bash', 'zsh', 'fish'] as const) {
  test(`completion in ${name}`, async (t) => {
    if (!havePeer(t, 'python3') || !havePeer(t, name)) return;
    const shell = await startShell(t, name);
    for (const [what, typed, run] of lines) {
      const from = shell.stdout.length;
      shell.process.stdin?.write(`viaduct ${typed.replaceAll('⇥', '\t')}\n`);
      const found = await shell.until(({ stdout }) => /^(<[^\r\n]+>)\r?\n/m.exec(stdout.slice(from))?.[1]);
      assert.match(found, run, what);
      await shell.until(({ stdout }) => stdout.lastIndexOf('ready> ') > stdout.lastIndexOf(found));
    }
  });
}

for (const name of ['bash', 'zsh', 'fish'] as const) {
  test(`every command and option is completed in ${name}`, async (t) => {
    const { stdout } = await runViaduct(t, ['completion', name]);
    const words = new Set(stdout.match(/[\w-]+/g));
    for (const command of buildProgram().commands) {
      assert.ok(words.has(command.name()), command.name());
      for (const { long, short } of command.options) {
        for (const flag of [long, short].filter((given) => given !== undefined)) {
          assert.ok(words.has(name === 'fish' ? flag.replace(/^-+/, '') : flag), flag);
        }
      }
    }
  });
}
