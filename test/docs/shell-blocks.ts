/** A command in the shell blocks of a Markdown page. */
export interface ShellCommand {
  readonly line: string;
  /** What it prints; undefined if the page does not show it. */
  readonly output: string | undefined;
}

/**
 * The commands in the blocks of a page: each line of a block marked `sh`, and in blocks marked `console` each line after
 * `$ `, with the lines that follow as its output.
 */
export function shellCommands(page: string): readonly ShellCommand[] {
  const blocks = [...page.matchAll(/^```(sh|console)\n(.*?)^```$/gms)];
  return blocks.flatMap(([, kind, body = '']) => (kind === 'sh' ? inScript(body) : inConsole(body)));
}

function inScript(body: string): ShellCommand[] {
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.map((line) => ({ line, output: undefined }));
}

function inConsole(body: string): ShellCommand[] {
  const [, ...runs] = `\n${body.trimEnd()}`.split('\n$ ');
  return runs.map((run) => {
    const [line = '', ...output] = run.split('\n');
    return { line, output: output.map((each) => `${each}\n`).join('') };
  });
}
