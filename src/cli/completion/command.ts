import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.js';
import type { Shell } from './run.js';

const HELP = `
  bash  source <(viaduct completion bash)    in ~/.bashrc
  zsh   source <(viaduct completion zsh)     in ~/.zshrc, after compinit
  fish  viaduct completion fish | source     in ~/.config/fish/config.fish`;

/** @param wholeProgram the program with all its commands, which the script completes */
export function addCompletionCommand(
  program: Command,
  context: CommandContext,
  wholeProgram: () => Command,
): void {
  program
    .command('completion')
    .description('Print a script that completes commands, options and file names in a shell.')
    .addArgument(new Argument('<shell>', 'name of the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', HELP)
    .action(async (shell: Shell) => {
      const { runCompletion } = await import('./run.js');
      await runCompletion(wholeProgram(), shell, context);
    });
}
