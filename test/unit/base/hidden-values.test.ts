/** Values that are hidden in everything this process prints and records. */
import { afterEach, describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import {
  hidesValues,
  hideWhile,
  holdsSecret,
  withoutHidden,
  withoutHiddenIn,
  withoutHiddenInJson,
} from '../../../src/base/hidden-values.ts';
import { openLog } from '../../../src/base/log.ts';
import { failureOf } from '../../../src/model/failure.ts';

describe('hidden values', () => {
  const ends: (() => void)[] = [];
  const hide = (...values: string[]) => ends.push(hideWhile(values));
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    expect(hidesValues()).toBe(false);
  });

  test('are found as they are, in JSON, in addresses, as base64, and line by line', () => {
    const value = 'p"ss\\w/rd';
    hide(value, `-----BEGIN KEY-----\n${'A'.repeat(64)}\n-----END KEY-----`);
    for (const form of [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      Buffer.from(value).toString('base64'),
      'A'.repeat(64),
    ])
      expect(withoutHidden(`<${form}>`)).toBe('<[redacted]>');
  });

  test('stay hidden until everyone who hid them has let go, and short ones are not looked for', () => {
    const first = hideWhile(['hunter2']);
    const second = hideWhile(['hunter2', 'abc']);
    first();
    first();
    expect(withoutHidden('hunter2 abc')).toBe('[redacted] abc');
    second();
    expect(withoutHidden('hunter2')).toBe('hunter2');
    expect(holdsSecret('hunter2')).toBe(false);
  });

  test('take no signs of JSON with them, even where the value is JSON itself', () => {
    hide('{"user":"x","password":"hunter2hunter2"}', '","');
    expect(JSON.parse(withoutHiddenInJson('{"a":["x","y"],"b":"hunter2hunter2"}'))).toEqual({ a: ['x', 'y'], b: '[redacted]' });
    expect(withoutHiddenIn({ hunter2hunter2: [{ deep: 'is hunter2hunter2' }], n: 5 })).toEqual({
      '[redacted]': [{ deep: 'is [redacted]' }],
      n: 5,
    });
    const untouched = { a: 1 };
    expect(withoutHiddenIn(untouched)).toBe(untouched);
  });

  test('are in no error of ours and no recorded failure: message, stack, fields, details, cause', () => {
    hide('hunter2hunter2');
    const cause = Object.assign(new Error('inner hunter2hunter2'), {
      url: 'https://x?k=hunter2hunter2',
      details: { at: 'hunter2hunter2' },
    });
    const failure = failureOf(new AggregateError([cause], `${'x'.repeat(16_370)} hunter2hunter2`, { cause }));
    expect(JSON.stringify(failure)).not.toMatch(/hunter2|hunter(?=")/);
    const error = new BatutaError('INTERNAL', 'is hunter2hunter2', { details: { list: ['hunter2hunter2'] } });
    expect(error.message + error.stack + JSON.stringify(error.details)).not.toContain('hunter2');
  });

  test('are in no line of the log, whichever field they stand in', async () => {
    hide('hunter2hunter2');
    const written: string[] = [];
    const log = await openLog({ level: 'trace', format: 'json', write: (text) => void written.push(text) });
    log.logger
      .child({ [`of hunter2hunter2`]: 'hunter2hunter2' })
      .error({ err: new Error('hunter2hunter2'), list: [['hunter2hunter2']] }, 'say hunter2hunter2');
    expect(written.join('')).toContain('[redacted]');
    expect(written.join('')).not.toContain('hunter2');
    expect(written.join('').endsWith('\n')).toBe(true);
  });
});
