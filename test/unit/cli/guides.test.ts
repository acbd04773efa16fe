import { expect, test } from 'vitest';
import { listDocuments, readBlocks } from '../../support/documents.ts';
import { silentProgram } from './program.ts';
import { splitLine } from './split-line.ts';

/** Every command that the README and the guides have people type: its place and what stands in the line. */
const typed = listDocuments()
  .filter((document) => document.includes('guides/') || document.endsWith('README.md'))
  .flatMap(readBlocks)
  .filter(({ language }) => language === 'sh')
  .flatMap(({ document, at, code }) =>
    code
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .flatMap((line) => line.replace(/ +#.*$/, '').split(/ (?:&&|&|\|) /))
      .map((line) => [`${document}:${at}`, line.trim()] as const),
  )
  .filter(([, line]) => /\bbatuta\b/.test(line));

test('commands are typed as they work in a project that has installed the package, by npx', () => {
  expect(typed.length).toBeGreaterThan(60);
  expect(typed.filter(([, line]) => /^([A-Z_]+=\S+ )*batuta /.test(line))).toEqual([]);
});

test.each(typed.filter(([, line]) => /^([A-Z_]+=\S+ )*npx batuta /.test(line)))('%s types what the program takes: %s', async (_, line) => {
  const args = splitLine(
    line
      .replace(/^.*?npx batuta /, '')
      .replaceAll(/<[\w-]+>/g, 'something')
      .replace(/ &$/, ''),
  );
  await silentProgram().parseAsync(args, { from: 'user' });
});
