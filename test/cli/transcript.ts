import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';

/** `npm test` with UPDATE_TRANSCRIPTS set writes what is printed now. */
const update = process.env['UPDATE_TRANSCRIPTS'] !== undefined;

/**
 * What a user types and sees, in the form of `test/cli/transcripts/NAME.txt`: each command after `$`, then its standard
 * output, its standard error and an exit code other than 0. The configuration file is `~/viaduct/config.toml`.
 */
export class Transcript {
  /** The working folder of the commands. */
  readonly folder: string;
  readonly #home: string;
  readonly #names: readonly (readonly [found: string, shown: string])[];
  #text = '';

  /** @param names what to print in place of addresses and other words that differ from run to run */
  constructor(t: TestContext, names: readonly (readonly [found: string, shown: string])[] = []) {
    this.folder = tempFolder(t);
    this.#home = tempFolder(t);
    mkdirSync(join(this.#home, 'viaduct'));
    this.#names = [[this.#home, '~'], ...names];
  }

  get configPath(): string {
    return join(this.#home, 'viaduct', 'config.toml');
  }

  /** Writes the configuration file; the transcript shows it. */
  config(text: string): void {
    writeFileSync(this.configPath, this.#found(text));
    this.#text += `$ cat ~/viaduct/config.toml\n${text}`;
  }

  /** @param line a command line as it is typed, with variables in front; words are separated by a space, without quotes */
  async run(line: string): Promise<void> {
    const words = this.#found(line).split(' ');
    const at = words.indexOf('viaduct');
    const env = Object.fromEntries(
      words.slice(0, at).map((word) => [word.replace(/=.*$/s, ''), word.replace(/^[^=]*=/, '')]),
    );
    const args = words.slice(at + 1);
    const run = await runInProcess(args, { cwd: this.folder, env: { ...env, XDG_CONFIG_HOME: this.#home } });
    const code = run.code === 0 ? '' : `[exit code ${run.code}]\n`;
    this.#text += `$ ${line}\n${this.#shown(run.stdout + run.stderr)}${code}`;
  }

  /** Asserts that all of it is as in the file. */
  equals(name: string): void {
    const path = fileURLToPath(new URL(`../../../test/cli/transcripts/${name}.txt`, import.meta.url));
    if (update) writeFileSync(path, this.#text);
    assert.equal(this.#text, readFileSync(path, 'utf8'));
  }

  #found(text: string): string {
    return this.#names.reduce((all, [found, shown]) => all.replaceAll(shown, found), text);
  }

  #shown(text: string): string {
    const named = this.#names.reduce((all, [found, shown]) => all.replaceAll(found, shown), text);
    return named.replaceAll(/ +[\d.]+ s {2}[\d.]+ \w+\/s/g, '  (time and rate)');
  }
}
