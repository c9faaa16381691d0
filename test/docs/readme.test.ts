import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onTerminal } from '../cli/terminal.js';
import { refusingHop } from '../support/black-hole.js';
import { havePeer } from '../support/peers.js';
import { Child } from '../support/processes.js';
import { sparseFile, tempFolder } from '../support/temp.js';
import { type ShellCommand, shellCommands } from './shell-blocks.js';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(join(checkout, 'README.md'), 'utf8');

/** The size of holiday.jpg in the README: 4.77 MiB. */
const HOLIDAY_BYTES = 5_001_216;

/** The end of the question about an unknown key, where the README shows the answer. */
const QUESTION_END = '(yes/no/pin)? ';

test('the README has at most 1,100 words', () => {
  const words = readme.split(/\s+/).filter((word) => word !== '');
  assert.ok(words.length <= 1100, `it has ${words.length}`);
});

test('each command of the README works as written, in order', async (t) => {
  if (!havePeer(t, 'curl') || !havePeer(t, 'python3')) return;
  const reader = await Reader.start(t);
  const commands = shellCommands(readme);
  assert.ok(commands.length >= 12, 'commands are found');
  for (const command of commands) {
    // npm ci needs the network, and replaces the packages of the tests that are running.
    if (command.line.startsWith('npm ci')) continue;
    await reader.run(command);
  }
  for (const [, url = ''] of readme.matchAll(/<(http:[^>]+)>/g)) await reader.browse(url);
});

/** Someone who types the commands of the README, on one machine, with a new home folder. */
class Reader {
  readonly #t: TestContext;
  readonly #home: string;
  readonly #desk: string;
  /** What stands in the README, and what takes its place here. */
  readonly #places: Map<RegExp, string>;

  static async start(t: TestContext): Promise<Reader> {
    const refusing = await refusingHop(t);
    return new Reader(t, refusing.port);
  }

  private constructor(t: TestContext, refusingPort: number) {
    this.#t = t;
    this.#home = tempFolder(t);
    this.#desk = tempFolder(t);
    const pictures = join(this.#home, 'pictures');
    mkdirSync(join(pictures, '2024'), { recursive: true });
    sparseFile(pictures, 'holiday.jpg', HOLIDAY_BYTES);
    sparseFile(join(pictures, '2024'), 'new-year.jpg', 1000);
    this.#places = new Map([
      [/pchost\d/g, 'localhost'],
      [/\b9000\b/g, String(refusingPort)],
    ]);
  }

  async run({ line, output }: ShellCommand): Promise<void> {
    const server = /^viaduct server (\d+)/.exec(line);
    if (server?.[1] !== undefined) return this.#startServer(line, server[1]);
    if (line.startsWith('viaduct server --park-only')) return this.#park(line);
    if (output?.includes(QUESTION_END)) return this.#answer(line, output);
    const isSetUp = line.startsWith('npm ');
    const child = this.#shell(`exec 2>&1; ${this.#here(line)}`, isSetUp ? checkout : this.#desk);
    child.process.stdin?.end();
    const code = await child.ended;
    if (output === undefined) assert.equal(code, 0, `${line}\n${child.stdout}`);
    else assert.equal(masked(child.stdout), masked(this.#here(output)), line);
  }

  /** Runs a command that asks a question, on a terminal, with the answer of the README. */
  async #answer(line: string, output: string): Promise<void> {
    const [question = '', answered = ''] = this.#here(output).split(QUESTION_END);
    const [answer = '', result = ''] = answered.split('\n');
    const options = { cwd: this.#desk, env: this.#env(), command: ['sh', '-c', this.#here(line)] };
    const child = onTerminal(this.#t, [], { ...options, columns: 200 });
    const asked = await child.until(({ stdout }) => stdout.endsWith(QUESTION_END) && stdout);
    const home = new RegExp(this.#home, 'g');
    const shown = asked.replaceAll('\r\n', '\n').replaceAll(home, '/home/you').slice(0, -QUESTION_END.length);
    // The progress that was drawn before is erased.
    assert.ok(masked(shown).endsWith(masked(question)), shown);
    child.process.stdin?.write(`${answer}\n`);
    assert.equal(await child.ended, 0, child.stdout);
    assert.ok(masked(child.stdout).includes(masked(result)), child.stdout);
  }

  /** Opens an address as a browser does. */
  async browse(url: string): Promise<void> {
    const reply = await fetch(this.#here(url), { headers: { Accept: 'text/html', Connection: 'close' } });
    assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
    assert.ok((await reply.text()).includes('holiday.jpg'), url);
  }

  /** Starts a node on a free port, which takes the place of the README's from then on. */
  async #startServer(line: string, port: string): Promise<void> {
    const child = this.#shell(`exec ${this.#here(line).replace(port, '0')}`, this.#desk);
    const found = await child.until(() => /"address":"[^"]*:(\d+)"/.exec(child.stderr)?.[1]);
    await child.until(() => child.stdout.includes('the server is ready\n'));
    this.#places.set(new RegExp(`\\b${port}\\b`, 'g'), found);
  }

  /** Starts a node that parks at another one. */
  async #park(line: string): Promise<void> {
    const child = this.#shell(`exec ${this.#here(line)}`, this.#desk);
    await child.until(({ stderr }) => stderr.includes('"msg":"parked"'));
  }

  #here(text: string): string {
    let here = text;
    for (const [readmes, ours] of this.#places) here = here.replaceAll(readmes, ours);
    return here;
  }

  #shell(line: string, cwd: string): Child {
    return new Child(this.#t, 'sh', ['-c', line], { cwd, env: this.#env() });
  }

  #env(): NodeJS.ProcessEnv {
    const prefix = join(this.#home, 'npm');
    return {
      HOME: this.#home,
      PATH: [join(prefix, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
      // npm: install into the new home, without the network, and without the build, which the tests use.
      npm_config_prefix: prefix,
      npm_config_offline: 'true',
      npm_config_ignore_scripts: 'true',
    };
  }
}

/** Times, rates and keys differ from run to run. */
function masked(text: string): string {
  return text
    .replaceAll(/\d+(\.\d+)? s\b/g, 'TIME')
    .replaceAll(/\d+(\.\d+)? [KMG]iB\/s/g, 'RATE')
    .replaceAll(/sha256\/\/\S+/g, 'PIN');
}
