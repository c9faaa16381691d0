import { Argument, type Command } from 'commander';

const HELP = `
  bash  source <(viaduct completion bash)    in ~/.bashrc
  zsh   source <(viaduct completion zsh)     in ~/.zshrc, after compinit
  fish  viaduct completion fish | source     in ~/.config/fish/config.fish`;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes commands, options and file names in a shell.')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', HELP)
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./script.js');
      const { standardOutput, untilReaderLeaves } = await import('../terminal/standard-output.js');
      const write = standardOutput();
      await untilReaderLeaves(Promise.resolve(write(Buffer.from(completionScript(program, shell)))));
    });
}
