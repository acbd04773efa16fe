import { describe, expect, it } from 'vitest';
import { barOf, percentOf } from '../../../src/cli/render/bar.ts';
import { markdownLines } from '../../../src/cli/render/artifact.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { plainJson } from '../../../src/cli/render/plain-json.ts';
import { tableLines } from '../../../src/cli/render/table.ts';
import { makeId } from '../../../src/base/id.ts';
import { fitsId, shortId, shortIds } from '../../../src/model/ids.ts';
import { agoText, startText } from '../../../src/cli/render/times.ts';
import { noon } from './samples.ts';

const plain = paintOf(false);

describe('tables', () => {
  const columns = [{ head: 'name' }, { head: 'took', align: 'right' as const, drop: 1 }, { head: 'id' }];

  it('columns are as wide as their widest cell', () => {
    expect(
      tableLines(
        columns,
        [
          ['a', '1 s', 'x'],
          ['long', '12 s', 'yy'],
        ],
        plain,
      ),
    ).toEqual(['name  took  id', 'a      1 s  x', 'long  12 s  yy']);
  });

  it('a narrow terminal loses the columns that may go first, then lines are cut', () => {
    expect(tableLines(columns, [['a', '1 s', 'x']], plain, 9)).toEqual(['name  id', 'a     x']);
    expect(tableLines(columns, [['abcdefgh', '1 s', 'x']], plain, 5)).toEqual(['name…', 'abcd…']);
  });
});

describe('times', () => {
  it.each([
    [0, 'just now'],
    [42_000, '42 s ago'],
    [180_000, '3 min ago'],
    [7_300_000, '2 h ago'],
  ])('%i ms ago reads %s', (ms, text) => expect(agoText(noon - ms, noon)).toBe(text));

  it.each([
    [{ startedAt: noon - 42_000 }, '42 s ago'],
    [{}, 'not yet'],
    [{ dueAt: noon + 90_000 }, 'due in 1 min'],
    [{ dueAt: noon - 42_000 }, 'due 42 s ago'],
    [{ dueAt: noon - 42_000, endedAt: noon }, 'never'],
  ])('nothing is said to have started that has not: %j', (run, text) =>
    expect(startText({ startedAt: null, endedAt: null, dueAt: null, ...run }, noon)).toBe(text),
  );

  it('what is to come reads forwards, what is a day away is a date', () => {
    expect(agoText(noon + 90_000, noon)).toBe('in 1 min');
    expect(agoText(noon + 3_000, noon)).toBe('in a moment');
    expect(agoText(noon + 500, noon)).toBe('just now');
    expect(agoText(noon - 86_400_000, noon)).toMatch(/^2026-01-1[345] \d\d:\d\d$/);
  });
});

describe('bars', () => {
  it('only what is done is full, only what has not begun is empty', () => {
    expect([0, 0.001, 0.5, 0.999, 1, Number.NaN, 7].map((share) => barOf(share, 4, plain))).toEqual([
      '░░░░',
      '█░░░',
      '██░░',
      '███░',
      '████',
      '░░░░',
      '████',
    ]);
  });

  it('100 % is said of nothing that is not done', () => {
    expect([percentOf(999, 1000), percentOf(1000, 1000), percentOf(0, 0)]).toEqual(['99 %', '100 %', '0 %']);
  });
});

describe('Markdown', () => {
  it('tables are lined up, marks are taken out, the rest stays', () => {
    const text = '## Worst\n\n| airport | delay |\n|---|---:|\n| **ORD** | 12 |\n| `LAX` | 7 |\n\n- done\n';
    expect(markdownLines(text, plain)).toEqual(['Worst', '', 'airport  delay', 'ORD         12', 'LAX          7', '', '• done']);
  });

  it('a line with a bar that is no table stays a line', () => {
    expect(markdownLines('a | b', plain)).toEqual(['a | b']);
  });

  it('a hostile text makes no more lines, and none wider, than people read', () => {
    const hostile = [
      `|${'a'.repeat(50_000)}|b|\n|-|-|\n${'|\n'.repeat(20_000)}`,
      `${'|'.repeat(30_000)}\n${'|-'.repeat(15_000)}\n${'|\n'.repeat(20_000)}`,
      `${`|${'a'.repeat(1_800)}`.repeat(40)}\n${'|-'.repeat(40)}\n${'|\n'.repeat(14_000)}`,
      '**a '.repeat(100_000),
      '`'.repeat(300_000),
    ];
    for (const text of hostile) expect(markdownLines(text, plain).join('\n').length).toBeLessThan(12_000_000);
    expect(markdownLines(hostile[0] ?? '', plain).at(-1)).toBe('… and 19,000 more rows (--json shows all)');
    expect(markdownLines('x\n'.repeat(60_000), plain).at(-1)).toBe('… and 20,000 more characters (--json shows all)');
  });
});

describe('plain JSON', () => {
  it('what JSON has no word for gets one', () => {
    const value = {
      at: new Date(noon),
      big: 10n,
      map: new Map([['a', 1]]),
      pairs: new Map([[1, 'b']]),
      set: new Set([1]),
      none: undefined,
      not: Number.NaN,
      list: [undefined],
    };
    expect(plainJson(value)).toEqual({
      at: '2026-01-15T12:00:00.000Z',
      big: '10',
      map: { a: 1 },
      pairs: [[1, 'b']],
      set: [1],
      not: null,
      list: [null],
    });
  });

  it('a value inside itself ends, nothing is null', () => {
    const value: Record<string, unknown> = { a: 1 };
    value['self'] = value;
    expect(plainJson(value)).toEqual({ a: 1, self: '[circular]' });
    expect(plainJson(undefined)).toBeNull();
  });
});

describe('ids', () => {
  it('are shown by their end, which tells those of one minute apart', () => {
    const ids = Array.from({ length: 50 }, () => makeId());
    expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBeLessThanOrEqual(2);
    expect(new Set(ids.map(shortId)).size).toBe(50);
    expect(shortId('01a204e3-684d-7027-a204-0ce8bf72b079')).toBe('bf72b079');
  });

  it('in a list are as short as they can be told apart', () => {
    const [one, two, other] = [
      '01a204e3-684d-7027-a204-0ce8bf72b079',
      '01a204e3-684d-7027-a205-0ce8bf72b079',
      '01a204e4-0001-7027-a204-0ce8aaaaaaaa',
    ];
    const short = shortIds([other, one, two]);
    expect([one, two, other].map((id) => short.get(id))).toEqual(['4-0ce8bf72b079', '5-0ce8bf72b079', 'aaaaaaaa']);
  });

  it('are meant by their beginning or end of four characters or more', () => {
    const id = '01a204e3-684d-7027-a204-0ce8bf72b079';
    expect(['01a2', 'B079', 'bf72b079', id].map((part) => fitsId(id, part))).toEqual([true, true, true, true]);
    expect(['01a', '079', '684d', '', `${id}0`].map((part) => fitsId(id, part))).toEqual([false, false, false, false, false]);
  });
});
