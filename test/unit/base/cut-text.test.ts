import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, isLongerThan } from '../../../src/base/cut-text.ts';
import { cutData } from '../../../src/engine/run/cut-output.ts';
import { PrintedLines } from '../../../src/engine/isolate/printed-lines.ts';
import { chartData } from '../../../src/model/chart.ts';
import { checkStreamName } from '../../../src/model/emission.ts';
import { groupOf } from '../../../src/model/triggers/paths.ts';
import { BoundedLabels } from '../../../src/monitor/metrics/bounded-labels.ts';
import { anyText } from '../../support/texts.ts';

describe('a text that is cut', () => {
  test('counts characters, not halves of them', () => {
    expect(cutText('😀'.repeat(200), 200)).toBe('😀'.repeat(200));
    expect(cutText('😀'.repeat(201), 200)).toBe('😀'.repeat(200));
    expect(cutText(`a${'😀'.repeat(200)}`, 200)).toBe(`a${'😀'.repeat(199)}`);
    expect(isLongerThan('😀'.repeat(200), 200)).toBe(false);
    expect(isLongerThan('😀'.repeat(201), 200)).toBe(true);
  });

  test('loses a flag, a family or a letter with its accent as a whole', () => {
    expect(cutText('ab🇩🇪', 3)).toBe('ab');
    expect(cutText('ab👩‍👩‍👧 and more', 5)).toBe('ab');
    expect(cutText('cafe\u0301s', 4)).toBe('caf');
    expect(cutText(`${'x'.repeat(5000)}🇩🇪`, 5001)).toBe('x'.repeat(5000));
  });

  test('has its sign within its length', () => {
    expect(cutText('abcdef', 4, '…')).toBe('abc…');
    expect(cutText('abcd', 4, '…')).toBe('abcd');
    expect(cutText('abcd', 0)).toBe('');
  });

  test('ends in the middle of a character that has no end', () => {
    expect([...cutText(`a${'\u0301'.repeat(500)}`, 200)]).toHaveLength(200);
  });

  test('is the beginning of it, no longer than allowed, and no worse formed than it was', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 80 }), (text, most) => {
        const cut = cutText(text, most);
        expect(text.startsWith(cut)).toBe(true);
        expect([...cut].length).toBeLessThanOrEqual(most);
        if (text.isWellFormed()) expect(cut.isWellFormed()).toBe(true);
        expect(isLongerThan(text, most)).toBe([...text].length > most);
      }),
    );
  });
});

/** What a call refuses with. */
function messageOf(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

// An odd number of units before them, so that every even place lies within one.
const emoji = `a${'😀'.repeat(100_000)}`;
test.each<readonly [string, (text: string) => string]>([
  ['of a group of events', (text) => groupOf('payload', { payload: text })],
  ['of a label of a metric', (text) => new BoundedLabels(2).bound([text])[0] ?? ''],
  ['of a name of a stream that is refused', (text) => messageOf(() => checkStreamName(text))],
  [
    'of a place on a chart that is refused',
    (text) => messageOf(() => chartData('sales', { axis: 'number', x: [text], series: { a: [1] } })),
  ],
  ['of data of an artifact that is too large', (text) => JSON.stringify(cutData('json', JSON.stringify({ text }), 10_000).data)],
])('the text %s is cut by characters', (_, cut) => {
  const shown = cut(emoji);
  expect(shown).toContain('😀');
  expect(shown.length).toBeLessThan(emoji.length);
  expect(shown.isWellFormed()).toBe(true);
});

test('a line that a process prints without an end is cut by characters', async () => {
  const parts: string[] = [];
  await new PrintedLines((part) => parts.push(part)).readAll(Readable.from([Buffer.from(emoji)]));
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.every((part) => part.isWellFormed())).toBe(true);
  expect(parts.join('')).toBe(emoji);
});
