/** Log lines in a file. */
import { expect, test } from 'vitest';
import { taskLabel, textOfLine } from '../../../src/server/log-text.ts';

const textOf = (message: string, task: string | null = null) => textOfLine({ at: 0, level: 30, message, fields: null }, task);

test('a message of several lines stays one line of the log', () => {
  expect(textOf('one\r\n1970-01-01T00:00:00.000Z ERROR two\rthree')).toBe(
    '1970-01-01T00:00:00.000Z INFO  one\n    1970-01-01T00:00:00.000Z ERROR two\n    three\n',
  );
});

test('what steers a terminal is left out, and all other text stays', () => {
  expect(textOf('\u001b[31mred\u001b[0m\u001b]0;title\u0007\u0008\u009b2J <b>é\t漢</b>')).toMatch(/INFO {2}red.*<b>é\t漢<\/b>\n$/u);
  expect(textOf('\u001b[31mred\u001b]0;title\u0007\u0008\u009b2J')).not.toMatch(/(?![\n\t])\p{Cc}/u);
});

test('a line says which task run it is of, and the name of one cannot pretend to be a line either', () => {
  expect(textOf('packing', taskLabel({ name: 'pack', displayName: null, index: 3 }))).toBe(
    '1970-01-01T00:00:00.000Z INFO  pack[3] packing\n',
  );
  const named = taskLabel({ name: 'pack', displayName: 'one\r\n1970 \u001b[31mtwo', index: 3 });
  expect(textOf('packing', named)).toBe('1970-01-01T00:00:00.000Z INFO  one 1970 two packing\n');
});
