import type { Command, Option } from 'commander'
import { SallyportError } from '#pkg/model/errors'
import type { Context } from './ports.ts'

/** What can follow the words of one command. */
type Node = { readonly path: string; readonly words: readonly string[]; readonly takesFiles: boolean }

/** `sallyctl completion bash|zsh|fish` */
export function defineCompletion(parent: Command, context: Context): void {
  parent
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description('Print a completion script: source <(sallyctl completion bash)')
    .action(async (shell: string) => {
      const script = SCRIPTS.get(shell)
      if (script === undefined) throw new SallyportError('USAGE', 'the shell must be bash, zsh or fish')
      await context.deps.stdout(script(nodesOf(parent, parent, '')))
    })
}

const SCRIPTS: ReadonlyMap<string, (nodes: readonly Node[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
])

function nodesOf(root: Command, command: Command, path: string): readonly Node[] {
  const flags = [...new Set([...command.options, ...root.options].flatMap(flagsOf))]
  const children = command.commands.map((child) => child.name())
  const shells = command.name() === 'completion' ? [...SCRIPTS.keys()] : []
  const takesFiles = command.registeredArguments.some((argument) => /^(file|what)$/.test(argument.name()))
  const own: Node = { path, words: [...children, ...shells, ...flags, '--help'], takesFiles }
  return [own, ...command.commands.flatMap((child) => nodesOf(root, child, `${path} ${child.name()}`.trim()))]
}

function flagsOf(option: Option): readonly string[] {
  return [option.long, option.short].filter((flag) => flag !== undefined && flag !== null)
}

function bashScript(nodes: readonly Node[]): string {
  return `# sallyctl completion for bash: source <(sallyctl completion bash)
_sallyctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words files=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
${nodes
  .filter((node) => node.path !== '')
  .map((node) => `      "${node.path}") path="${node.path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${nodes.map((node) => `    "${node.path}") words="${node.words.join(' ')}"${node.takesFiles ? ' files=1' : ''} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _sallyctl sallyctl
`
}

function zshScript(nodes: readonly Node[]): string {
  return `#compdef sallyctl
# sallyctl completion for zsh: source <(sallyctl completion zsh)
_sallyctl() {
  local path_="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${path_:+$path_ }$word" in
${nodes
  .filter((node) => node.path !== '')
  .map((node) => `      "${node.path}") path_="${node.path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path_" in
${nodes.map((node) => `    "${node.path}") candidates=(${node.words.join(' ')})${node.takesFiles ? '; _files' : ''} ;;`).join('\n')}
  esac
  compadd -a candidates
}
compdef _sallyctl sallyctl
`
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.map((node) => {
    const files = node.takesFiles ? '' : ' -f'
    return `complete -c sallyctl${files} -n '_sallyctl_at "${node.path}"' -a '${node.words.join(' ')}'`
  })
  return `# sallyctl completion for fish: sallyctl completion fish | source
function _sallyctl_at
    set -l known ${nodes
      .filter((node) => node.path !== '')
      .map((node) => `'${node.path}'`)
      .join(' ')}
    set -l path ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim "$path $word")
        contains -- $longer $known; and set path $longer
    end
    test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}
