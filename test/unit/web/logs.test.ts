import { describe, expect, it } from 'vitest';
import { colourOf, fieldsText, hitsIn, levelName, shownText, stackText } from '../../../web/src/logs/log-text.ts';
import { addAfter, addBefore, mostHeld, openWindow, placeOf } from '../../../web/src/logs/log-window.ts';

const lines = (from: number, count: number): { seq: number }[] => Array.from({ length: count }, (_, at) => ({ seq: from + at }));

describe('the window on a log', () => {
  it('holds so many lines and no more, however far one reads on', () => {
    let window = openWindow(lines(1, 1_000), 'start');
    for (let from = 1_001; from < 100_000; from += 1_000) window = addAfter(window, lines(from, 1_000), true);
    expect(window.lines).toHaveLength(mostHeld);
    expect(window).toMatchObject({ atStart: false, atEnd: false });
    const first = window.lines[0]?.seq ?? 0;
    window = addBefore(window, lines(first - 1_000, 1_000), true);
    expect(window.lines[0]?.seq).toBe(first - 1_000);
    expect(window.lines).toHaveLength(mostHeld);
  });

  it('takes no line twice, and knows its ends', () => {
    let window = openWindow(lines(50, 10), 'end', 10);
    expect(window).toMatchObject({ atStart: false, atEnd: true });
    window = addAfter(window, lines(55, 10), false);
    expect(window.lines.map(({ seq }) => seq)).toEqual(lines(50, 15).map(({ seq }) => seq));
    window = addBefore(window, lines(45, 5), false);
    expect(window).toMatchObject({ atStart: true, atEnd: true });
    expect(addAfter(window, [], false)).toBe(window);
  });

  it('is the whole log when it is short', () => {
    expect(openWindow(lines(1, 3), 'end')).toMatchObject({ atStart: true, atEnd: true });
  });

  it('finds a line by its number', () => {
    expect(placeOf([{ seq: 3 }, { seq: 7 }, { seq: 9 }], 7)).toBe(1);
    expect(placeOf([{ seq: 3 }, { seq: 7 }], 4)).toBe(1);
    expect(placeOf([{ seq: 3 }], 4)).toBe(-1);
  });
});

describe('the text of a log line', () => {
  it('loses the colours of terminals and keeps markup as text', () => {
    expect(shownText('\u001b[31mred\u001b[0m <b>x</b>', false)).toBe('red <b>x</b>');
    expect(shownText('one\ntwo\n', false)).toBe('one ⏎ two');
    expect(shownText('one\ntwo', true)).toBe('one\ntwo');
  });

  it('is cut when it is very long, and says so', () => {
    expect(shownText('x'.repeat(3_000), false)).toMatch(/x … 1,000 more characters$/);
  });

  it('marks hits in any case', () => {
    expect(hitsIn('Error: error', 'ERROR').map(({ text, hit }) => [text, hit])).toEqual([
      ['Error', true],
      [': ', false],
      ['error', true],
    ]);
    expect(hitsIn('abc', '')).toEqual([{ text: 'abc', hit: false }]);
    expect(hitsIn('İx', 'x')).toEqual([{ text: 'İx', hit: false }]);
  });

  it('tells fields, levels and colours', () => {
    expect(fieldsText({ a: 1, b: 'x', c: { d: [1] } })).toBe('a=1 b=x c={"d":[1]}');
    expect(fieldsText({ attempt: 1, err: { stack: 'x' } })).toBe('');
    expect(fieldsText({ attempt: 1, late: true })).toBe('attempt=1 late=true');
    expect(stackText({ err: { stack: 'Error: x\n    at y' } })).toBe('Error: x\n    at y');
    expect(stackText(null)).toBeNull();
    expect(fieldsText(null)).toBe('');
    expect([5, 30, 35, 60, 99].map(levelName)).toEqual(['trace', 'info', 'info', 'fatal', 'fatal']);
    expect(colourOf('load', 8)).toBe(colourOf('load', 8));
  });
});
