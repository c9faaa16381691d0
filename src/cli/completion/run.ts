import type { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { wordsOf } from './words.js';
import { zshScript } from './zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export type Shell = keyof typeof SCRIPTS;

/** Prints a script that completes the commands, options and values of the program in a shell. */
export async function runCompletion(program: Command, shell: Shell, context: CommandContext): Promise<void> {
  const write = standardOutput(context.stdout);
  await untilReaderLeaves(write(Buffer.from(SCRIPTS[shell](wordsOf(program)))));
}
