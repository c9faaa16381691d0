import type { CommandContext } from '../context.js';
import type { GetCommandOptions } from '../get/options.js';
import { runGet } from '../get/run.js';

/** Parsed options; times in ms. */
export type CatOptions = Omit<
  GetCommandOptions,
  'output' | 'recursive' | 'transfers' | 'clobber' | 'quiet' | 'json'
>;

/** Prints files as `get -o -` does, and otherwise only errors. Returns the exit code. */
export function runCat(
  wheres: readonly string[],
  options: CatOptions,
  context: CommandContext,
): Promise<number> {
  const quiet = options.verbose ? {} : ({ quiet: true } as const);
  return runGet(wheres, { ...options, ...quiet, output: '-', transfers: 1, clobber: true }, context);
}
