import type { CommandWords, OptionWords, Words } from './words.js';

/** A function for `_arguments` (zshcompsys), to be sourced, or installed as `_viaduct` in a folder of `$fpath`. */
export function zshScript([program, ...commands]: readonly CommandWords[]): string {
  const names = commands.map(({ name, description }) => `      ${quote(`${name}:${description}`)}`);
  return `#compdef viaduct
# zsh completion of viaduct: source <(viaduct completion zsh)
_viaduct() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${names.join('\n')}
  )
  _arguments -C ${(program?.options ?? []).map(optionSpec).join(' ')} '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] = _viaduct ]]; then _viaduct "$@"; else compdef _viaduct viaduct; fi
`;
}

function commandCase({ name, options, operands }: CommandWords): string {
  const specs = [...options.map(optionSpec), quote(`*: :${action(operands)}`)];
  return `        ${name}) _arguments -s -S \\\n${specs.map((spec) => `          ${spec}`).join(' \\\n')} ;;`;
}

/** Such as `'(-o --output)'{-o+,--output=}'[file to save to]: :_files'`, which allows `-oFILE` and `--output=FILE`. */
function optionSpec({ flags, description, repeatable, value }: OptionWords): string {
  const exclusive = repeatable ? '*' : `(${flags.join(' ')})`;
  const typed = flags.map((flag) =>
    value === undefined ? flag : flag + (flag.startsWith('--') ? '=' : '+'),
  );
  const names = typed.length > 1 ? `{${typed.join(',')}}` : typed.join('');
  const escaped = description.replace(/[\\[\]:]/g, '\\$&');
  const argument = value === undefined ? '' : `: :${action(value)}`;
  return `${quote(exclusive)}${names}${quote(`[${escaped}]${argument}`)}`;
}

function action(words: Words): string {
  if (words === 'files') return '_files';
  if (words === 'folders') return '_files -/';
  return words.length === 0 ? ' ' : `(${words.join(' ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
