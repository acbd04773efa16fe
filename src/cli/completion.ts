/** Shell completion, built from the tree of commands: what may follow the words typed so far. File paths are left to the shell. */
import type { Command } from 'commander';
import { programName } from '../base/program-name.ts';
import type { CommandContext, ExitStatus } from './context.ts';

/** Supported shells. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A command or group, and what may follow its words. */
interface Place {
  /** Words of the command, e.g. `runs ls`; empty for the program itself. */
  readonly path: string;
  /** Aliases that lead here. */
  readonly aliases: readonly string[];
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly { readonly long: string; readonly short: string | undefined; readonly about: string }[];
}

/** The script a shell reads to complete `batuta`. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, [], []);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](places);
}

function placesOf(command: Command, path: readonly string[], aliases: readonly string[]): Place[] {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  const place = {
    path: path.join(' '),
    aliases,
    commands: command.commands.map((child) => ({ name: child.name(), about: child.description() })),
    options: options
      .map(({ long, short, description }) => ({ long: long ?? '', short, about: description }))
      .filter(({ long }) => long !== ''),
  };
  const children = command.commands.flatMap((child) =>
    placesOf(
      child,
      [...path, child.name()],
      child.aliases().map((alias) => [...path, alias].join(' ')),
    ),
  );
  return [place, ...children];
}

/** The shell's `case` that goes from one place to the next by a word; words that lead nowhere are arguments. */
function stepCases(places: readonly Place[], indent: string): string {
  return places
    .filter(({ path }) => path !== '')
    .map(({ path, aliases }) => `${indent}${[path, ...aliases].map((words) => `"${words}"`).join('|')}) path="${path}" ;;`)
    .join('\n');
}

function wordCases(places: readonly Place[], indent: string, give: (words: string) => string): string {
  return places
    .map(({ path, commands, options }) => {
      const words = [...commands.map(({ name }) => name), ...options.map(({ long }) => long)];
      return `${indent}"${path}") ${give(words.join(' '))} ;;`;
    })
    .join('\n');
}

const bashScript = (places: readonly Place[]): string => `# Completion of batuta for bash: source <(${programName()} completion bash)
_batuta() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
${stepCases(places, '      ')}
    esac
  done
  case "$path" in
${wordCases(places, '    ', (words) => `words="${words}"`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _batuta batuta
`;

const zshScript = (places: readonly Place[]): string => `#compdef batuta
# Completion of batuta for zsh: source <(${programName()} completion zsh), after compinit
_batuta() {
  local at="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
${stepCases(places, '      ').replaceAll(') path=', ') at=')}
    esac
  done
  local -a offered
  case "$at" in
${wordCases(places, '    ', (words) => `offered=(${words})`)}
  esac
  compadd -a offered || _files
}
compdef _batuta batuta
`;

const fishScript = (places: readonly Place[]): string => `# Completion of batuta for fish: ${programName()} completion fish | source
function __batuta_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch (string trim -- "$at $word")
${places
  .filter(({ path }) => path !== '')
  .map(({ path, aliases }) => `      case ${[path, ...aliases].map(quote).join(' ')}\n        set at ${quote(path)}`)
  .join('\n')}
    end
  end
  test "$at" = "$argv[1]"
end
${places.flatMap(fishLines).join('\n')}
`;

function fishLines({ path, commands, options }: Place): string[] {
  const here = `complete -c batuta -n ${quote(`__batuta_at ${quote(path)}`)}`;
  return [
    ...commands.map(({ name, about }) => `${here} -a ${name} -d ${quote(about)}`),
    ...options.map(({ long, short, about }) => `${here} -l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ''} -d ${quote(about)}`),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Prints the script for a shell, built from all commands of the program. */
export const printCompletion =
  (program: Command) =>
  async ({ terminal: { out } }: CommandContext, shell: Shell): Promise<ExitStatus> => {
    out.write(completionScript(program, shell));
    return 0;
  };
