import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../../src/cli/completion.ts';
import { settings } from '../../../src/base/settings.ts';
import { examples } from '../../../src/cli/examples.ts';
import { silentProgram } from './program.ts';
import { splitLine } from './split-line.ts';

/** Every command that does something, by its words; a group that has options of its own does. */
function commandsOf(parent: Command, path: readonly string[] = []): [string, Command][] {
  return parent.commands.flatMap((command): [string, Command][] => {
    const words = [...path, command.name()];
    const isGroup = command.commands.length > 0 && command.options.length === 0;
    return [...(isGroup ? [] : [[words.join(' '), command] as [string, Command]]), ...commandsOf(command, words)];
  });
}

const commands = commandsOf(silentProgram());

describe('help', () => {
  it('of every command shows examples, and there are none of commands that are not', () => {
    const known = commands.map(([words]) => words);
    expect(Object.keys(examples).filter((words) => !known.includes(words))).toEqual([]);
    for (const [words] of commands) {
      let printed = '';
      const program = silentProgram((text) => (printed += text));
      expect(() => program.parse([...words.split(' '), '--help'], { from: 'user' })).toThrow('(outputHelp)');
      expect([words, printed]).toEqual([words, expect.stringContaining(`\nExamples:\n  npx batuta ${words}`)]);
    }
  });

  it.each(['run', 'runs', 'deploy'])('of %s is the same whether or not it comes first', (first) => {
    const helpOf = (program: Command): string[] =>
      commandsOf(program)
        .filter(([words]) => words.split(' ')[0] === first)
        .map(([words, command]) => `${words}\n${command.helpInformation()}`);
    expect(helpOf(silentProgram(undefined, first))).toEqual(helpOf(silentProgram()));
    expect(helpOf(silentProgram())).not.toEqual([]);
  });

  it.each(Object.entries(examples).flatMap(([words, lines]) => lines.map((line) => [words, line])))(
    'of %s shows what the program takes: %s',
    async (words, line) => {
      expect(splitLine(line).slice(0, words.split(' ').length).join(' ')).toBe(words);
      await silentProgram().parseAsync(splitLine(line), { from: 'user' });
    },
  );

  it('offers JSON of every command save those that go on until Ctrl-C and those that write a file or a script', () => {
    const without = commands.filter(([, command]) => !command.options.some(({ long }) => long === '--json'));
    const goOn = ['dev', 'worker', 'scheduler', 'server'];
    const write = ['init', 'export', 'completion', 'flow types'];
    expect(without.map(([words]) => words).sort()).toEqual([...goOn, ...write].sort());
  });

  it('says of every option that stands for a setting what it is without it', () => {
    const options = [...silentProgram().options, ...commands.flatMap(([, command]) => command.options)];
    const told = options.flatMap(({ long, description }) => {
      const [, env, byDefault] = /\((BATUTA_\w+)(?:; default: (.*))?\)$/.exec(description) ?? [];
      return env === undefined ? [] : [[long, env, byDefault]];
    });
    const defaults = new Map<string, string>(
      Object.values(settings).map(({ env, defaultText }) => [env, defaultText === '(unset)' ? 'none' : defaultText]),
    );
    expect(told.length).toBeGreaterThan(10);
    expect(told).toEqual(told.map(([long, env = '']) => [long, env, defaults.get(env)]));
  });

  it('prints the default of every option that has one', () => {
    for (const [words, command] of commands) {
      const printed = command.helpInformation().replaceAll(/\s+/g, ' ');
      for (const { flags, defaultValue } of command.options) {
        const isTold =
          defaultValue === undefined ||
          defaultValue === false ||
          Array.isArray(defaultValue) ||
          printed.includes(`(default: "${String(defaultValue)}")`);
        expect([words, flags, isTold]).toEqual([words, flags, true]);
      }
    }
  });
});

/** What bash offers for the last of these words. */
function completeInBash(...words: readonly string[]): string[] {
  return completeAllInBash([words])[0] ?? [];
}

/** The same for several lines, by one bash. */
function completeAllInBash(lines: readonly (readonly string[])[]): string[][] {
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const asks = lines.map(
    (words) => `COMP_WORDS=(batuta ${quoted(words)}); COMP_CWORD=${words.length}; _batuta; printf '%s ' "\${COMPREPLY[@]}"; echo`,
  );
  const script = [completionScript(silentProgram(), 'bash'), ...asks].join('\n');
  return execFileSync('bash', ['--norc'], { encoding: 'utf8', input: script })
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

describe('completion in bash', () => {
  it('offers commands, those of a group, and options, after aliases too', () => {
    expect(completeInBash('ru')).toEqual(['run', 'runs']);
    expect(completeInBash('runs', 're')).toEqual(['rejects', 'retry', 'resume']);
    expect(completeInBash('runs', 'ls', '--sin')).toEqual(['--since']);
    expect(completeInBash('runs', 'list', '--sin')).toEqual(['--since']);
    expect(completeInBash('deployment', 'run', 'daily', '-p', 'a=b', '--w')).toEqual(['--watch']);
    expect(completeInBash('worker', 'l')).toEqual(['ls']);
    expect(completeInBash('completion', '--log')).toEqual(['--log-level', '--log-format']);
  });

  it('leaves what is no word of ours to the shell, which completes files', () => {
    expect(completeInBash('run', 'flows/he')).toEqual([]);
    expect(completeInBash('runs', 'inspect', 'cafe')).toEqual([]);
  });

  it('offers every command and every option there is', () => {
    const offered = completeAllInBash(commands.map(([words]) => [...words.split(' '), '--']));
    for (const [at, [words, command]] of commands.entries()) {
      expect([words, offered[at]]).toEqual([words, expect.arrayContaining(command.options.map(({ long }) => long ?? ''))]);
    }
  });
});
