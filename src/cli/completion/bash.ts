import type { CommandWords, OptionWords, Words } from './words.js';

/** A script for bash from 3.2, the version of macOS: it uses no `mapfile`, and `compopt` only if available. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# bash completion of viaduct: source <(viaduct completion bash)
_viaduct() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=
  # bash splits --option=value.
  [[ $word = '=' ]] && word=
  [[ $before = '=' ]] && before=\${COMP_WORDS[COMP_CWORD-2]}
  [[ \${COMP_WORDS[COMP_CWORD]} = '=' ]] && before=\${COMP_WORDS[COMP_CWORD-1]}
  (( COMP_CWORD > 1 )) && command=\${COMP_WORDS[1]}
  COMPREPLY=()
  case "$command $before" in
${commands.flatMap((command) => command.options.flatMap((option) => valueCase(command, option))).join('\n')}
  esac
  case "$command $word" in
${commands.flatMap(operandCases).join('\n')}
  esac
}
# compgen prints one file name per line; names may contain spaces.
_viaduct_reply() {
  local reply
  [[ $1 = -W ]] || compopt -o filenames 2>/dev/null
  while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen "$@")
}
complete -F _viaduct viaduct
`;
}

/** After an option with a value, only values are completed. */
function valueCase({ name }: CommandWords, { flags, value }: OptionWords): string[] {
  if (value === undefined) return [];
  const patterns = flags.map((flag) => `"${name} ${flag}"`).join('|');
  return [`    ${patterns}) ${reply(value)}return ;;`];
}

function operandCases({ name, options, operands }: CommandWords): string[] {
  const flags = options.flatMap((option) => option.flags);
  return [`    "${name} -"*) ${reply(flags)}return ;;`, `    "${name} "*) ${reply(operands)}return ;;`];
}

function reply(words: Words): string {
  if (words.length === 0) return '';
  const action = words === 'files' ? '-f' : words === 'folders' ? '-d' : `-W '${words.join(' ')}'`;
  return `_viaduct_reply ${action} -- "$word"; `;
}
