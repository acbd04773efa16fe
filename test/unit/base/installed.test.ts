import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { builtFile, packageFolder, packageVersion } from '../../../src/base/installed.ts';

test('the package is found from wherever its code lies, with its version', () => {
  expect(packageFolder()).toBe(resolve('.'));
  expect(packageVersion()).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
});

test('built files lie under dist of the package', () => {
  expect(builtFile('define/isolate-entry.js')).toBe(join(resolve('.'), 'dist', 'define', 'isolate-entry.js'));
});
