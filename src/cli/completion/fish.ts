import type { CommandWords, OptionWords, Words } from './words.js';

/** Lines of `complete` (fish). File names are offered only where a file is expected. */
export function fishScript([program, ...commands]: readonly CommandWords[]): string {
  const lines = [
    '# fish completion of viaduct: viaduct completion fish | source',
    'complete -c viaduct -f',
    ...(program?.options ?? []).map((option) => optionLine('__fish_use_subcommand', option)),
  ];
  for (const { name, description, options, operands } of commands) {
    const after = `__fish_seen_subcommand_from ${name}`;
    lines.push(`complete -c viaduct -n __fish_use_subcommand -a ${name} -d ${quote(description)}`);
    lines.push(...options.map((option) => optionLine(quote(after), option)));
    if (operands.length > 0) lines.push(`complete -c viaduct -n ${quote(after)} ${argument(operands)}`);
  }
  return `${lines.join('\n')}\n`;
}

function optionLine(condition: string, { flags, description, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const argumentOf = value === undefined ? '' : ` -r ${argument(value)}`;
  return `complete -c viaduct -n ${condition} ${names.join(' ')}${argumentOf} -d ${quote(description)}`.trimEnd();
}

function argument(words: Words): string {
  if (words === 'files') return '-F';
  if (words === 'folders') return "-f -a '(__fish_complete_directories)'";
  return words.length === 0 ? '-f' : `-f -a ${quote(words.join(' '))}`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
