import type { CommandWords, OptionWords, Words } from './words.js';

/** Works from bash 3.2 on, which macOS has: no `mapfile`, and `compopt` only where it is. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# bash completion of viaduct: source <(viaduct completion bash)
_viaduct() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=
  # bash takes --option=value apart.
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
# Names of files come with spaces and all, a line each.
_viaduct_reply() {
  local reply
  [[ $1 = -W ]] || compopt -o filenames 2>/dev/null
  while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen "$@")
}
complete -F _viaduct viaduct
`;
}

/** After an option with a value comes that value, and nothing else. */
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
