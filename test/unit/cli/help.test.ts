import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../../src/cli/completion.ts';
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
      expect([words, printed]).toEqual([words, expect.stringContaining(`\nExamples:\n  batuta ${words}`)]);
    }
  });

  it.each(Object.entries(examples).flatMap(([words, lines]) => lines.map((line) => [words, line])))(
    'of %s shows what the program takes: %s',
    async (words, line) => {
      expect(splitLine(line).slice(0, words.split(' ').length).join(' ')).toBe(words);
      await silentProgram().parseAsync(splitLine(line), { from: 'user' });
    },
  );

  it('says of every verb that lists or shows that it prints JSON', () => {
    const verbs = new Set(['ls', 'inspect', 'get', 'show', 'graph', 'stats', 'versions', 'logs', 'preview', 'config', 'doctor', 'health']);
    const without = commands.filter(([words, command]) => {
      const isReader = verbs.has(words.split(' ').at(-1) ?? '');
      return isReader && !command.options.some(({ long }) => long === '--json');
    });
    expect(without.map(([words]) => words)).toEqual([]);
  });
});

/** What bash offers for the last of these words. */
function completeInBash(...words: readonly string[]): string[] {
  const ask = `COMP_WORDS=(batuta "$@"); COMP_CWORD=$#; _batuta; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = `${completionScript(silentProgram(), 'bash')}\n${ask}`;
  return execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
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
    for (const [words, command] of commands) {
      const offered = completeInBash(...words.split(' '), '--');
      expect([words, offered]).toEqual([words, expect.arrayContaining(command.options.map(({ long }) => long ?? ''))]);
    }
  });
});
