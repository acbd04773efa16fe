import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = 'docs/reference/guarantees.md';

/** The last cell of each row of each table: a file, and the name of a test in it where one is given. */
const named = readFileSync(page, 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, file = '', name] = /\| `(test\/[^`]+)`(?:: (.+?))? \|$/.exec(line) ?? [];
    return file === '' ? [] : [{ file, name }];
  });

test('every guarantee names a test', () => {
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => /^\|(?! promise |---)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  expect(named).toHaveLength(rows.length);
});

test.each(named)('the test "$name" in $file is there', ({ file, name }) => {
  expect(existsSync(file)).toBe(true);
  if (name !== undefined) expect(readFileSync(file, 'utf8')).toContain(`'${name.replaceAll("'", "\\'")}'`);
});
