import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { scaffold, stepsForExisting } from '../../../src/cli/scaffold.ts';
import { readBlocks } from '../../support/documents.ts';
import { silentProgram } from './program.ts';

const program = silentProgram();

/** Every command that does something, with its options: `runs ls` → `['--flow', …]`. */
function leaves(command: Command, path: readonly string[] = []): [string, string[]][] {
  return command.commands.flatMap((child): [string, string[]][] => {
    const name = [...path, child.name()];
    const itself: [string, string[]] = [name.join(' '), child.options.map((option) => option.long ?? '').sort()];
    // A group does nothing itself; what has options of its own does.
    return [...(child.commands.length > 0 && child.options.length === 0 ? [] : [itself]), ...leaves(child, name)];
  });
}

test('the reference names every command with every option, and no other', () => {
  const sections = readFileSync('docs/reference/cli.md', 'utf8')
    .split(/^## batuta /m)
    .slice(1);
  const documented = sections.map((section): [string, string[]] => {
    const [heading = ''] = section.split('\n', 1);
    const name = heading.replace(/\s*(\[|&lt;).*$/, '');
    const options = [...section.matchAll(/^\| `(?:-\w, )?(--[\w-]+)/gm)].map(([, option = '']) => option);
    return [name, options.sort()];
  });
  expect(documented.sort()).toEqual(leaves(program).sort());
});

test('the guide shows the flow that init makes', () => {
  const made = scaffold({ name: 'x', version: '1.0.0' }).find(({ path }) => path === 'flows/hello.ts');
  const [shown] = readBlocks('docs/guides/first-flow.md').filter(({ language }) => language === 'ts');
  const classOf = (text: string | undefined): string =>
    (text ?? '').slice((text ?? '').indexOf('@Flow')).replace(/^ *ctx\.log\.info.*\n/gm, '');
  expect(classOf(shown?.code)).toBe(classOf(made?.text));
});

test.each([
  [
    '{"name":"batuta-jobs"}',
    '{}',
    ['npm install batuta zod && npm install --save-dev typescript @types/node', expect.stringContaining('experimentalDecorators')],
  ],
  [
    '{"dependencies":{"batuta":"^0.1.0"},"devDependencies":{"typescript":"7"}}',
    '{"compilerOptions":{"experimentalDecorators": true}}',
    ['npm install zod && npm install --save-dev @types/node'],
  ],
  [
    '{"dependencies":{"batuta":"1","zod":"4","typescript":"7","@types/node":"20"}}',
    '{"compilerOptions":{"experimentalDecorators":true}}',
    [],
  ],
])('a project with %s and %s is told what it lacks', (packageText, tsconfigText, lacks) => {
  expect(stepsForExisting(['package.json', 'tsconfig.json'], packageText, tsconfigText)).toEqual(lacks);
});
