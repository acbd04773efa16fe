import { describe, expect, it } from 'vitest';
import { maxChars, readMarkdown } from '../../../web/src/values/markdown.ts';
import { safeHref } from '../../../web/src/values/safe-link.ts';
import { describeValue, partsOf, textOfValue } from '../../../web/src/values/value-tree.ts';

describe('markdown', () => {
  it('gives headings, lists, code, quotes and tables as data', () => {
    const blocks = readMarkdown(
      '# Report\n\ntext **bold** `x`\n\n- a\n  - b\n- c\n\n1. one\n2. two\n\n```ts\nif (a < b) {}\n```\n\n> said\n\n| a | b |\n|---|--:|\n| 1 | x\\|y |\n\n---',
    );
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'code', 'quote', 'table', 'rule']);
    expect(blocks[1]).toMatchObject({ inlines: [{ text: 'text ' }, { kind: 'strong' }, { text: ' ' }, { kind: 'code', text: 'x' }] });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ kind: 'paragraph' }, { kind: 'list' }], [{ kind: 'paragraph' }]] });
    expect(blocks[4]).toMatchObject({ text: 'if (a < b) {}', language: 'ts' });
    expect(blocks[6]).toMatchObject({ rows: [[[{ text: '1' }], [{ text: 'x|y' }]]], align: [null, 'right'] });
  });

  it('draws a box before the items of a list of tasks', () => {
    expect(readMarkdown('- [x] done\n- [ ] open\n- [link](https://x.test)')).toMatchObject([
      { items: [[{ inlines: [{ text: '☑ done' }] }], [{ inlines: [{ text: '☐ open' }] }], [{ inlines: [{ kind: 'link' }] }]] },
    ]);
  });

  it('keeps markup of HTML as text', () => {
    expect(readMarkdown('<script>alert(1)</script> <img src=x onerror=alert(1)>')).toEqual([
      { kind: 'paragraph', inlines: [{ kind: 'text', text: '<script>alert(1)</script> <img src=x onerror=alert(1)>' }] },
    ]);
  });

  it('finds links, and draws pictures as links', () => {
    const [paragraph] = readMarkdown('[a](https://x.test/p_(1)) ![p](javascript:alert(1)) see https://y.test/a.');
    expect(paragraph).toMatchObject({
      kind: 'paragraph',
      inlines: [
        { kind: 'link', href: 'https://x.test/p_(1)' },
        { text: ' ' },
        { kind: 'link', href: 'javascript:alert(1)' },
        { text: ' see ' },
        { kind: 'link', href: 'https://y.test/a' },
        { text: '.' },
      ],
    });
  });

  it('reads hostile text in time', () => {
    for (const text of [
      '['.repeat(20_000),
      '*a'.repeat(10_000),
      '`'.repeat(20_000),
      '> '.repeat(5_000),
      '- '.repeat(5_000),
      '|-'.repeat(5_000),
      '_'.repeat(20_000),
    ])
      expect(readMarkdown(text).length).toBeGreaterThan(0);
  });

  it('reads sixty thousand marks in the time that people wait, and cuts what is longer than they read', () => {
    for (const mark of ['*a', '`a', '**_', '~~a', '[a](', '![', '<http://', '_*', 'a**b', '|-|\n', '> ', '  - a\n'])
      expect(readMarkdown(mark.repeat(60_000)).at(-1)).toMatchObject({
        inlines: [{ kind: 'em', inlines: [{ text: expect.stringContaining('more characters') }] }],
      });
    expect(JSON.stringify(readMarkdown('word '.repeat(maxChars))).length).toBeLessThan(2 * maxChars);
  }, 20_000);
});

describe('links', () => {
  it('of the web and of mail may be followed, others not', () => {
    expect(safeHref('https://x.test/a?b=c')).toBe('https://x.test/a?b=c');
    expect(safeHref('mailto:a@b.test')).toBe('mailto:a@b.test');
    for (const href of [
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '/runs',
      'x',
      'vbscript:x',
    ])
      expect(safeHref(href)).toBeNull();
  });
});

describe('values', () => {
  it('of every kind are told in one line', () => {
    const values = [
      'a"b',
      1,
      -0,
      Number.NaN,
      10n,
      true,
      null,
      undefined,
      new Date(0),
      /x/g,
      [1, 2],
      new Map([['k', 1]]),
      new Set([1]),
      { a: 1 },
      {},
    ];
    expect(values.map((value) => describeValue(value).text)).toEqual([
      '"a\\"b"',
      '1',
      '-0',
      'NaN',
      '10n',
      'true',
      'null',
      'undefined',
      '1970-01-01T00:00:00.000Z',
      '/x/g',
      '2 items',
      'Map, 1 entry',
      'Set, 1 item',
      '1 field',
      '0 fields',
    ]);
  });

  it('are opened a stretch at a time', () => {
    const list = Array.from({ length: 100_000 }, (_, at) => at);
    expect(partsOf(list, 200, 2)).toEqual([
      { label: '200', value: 200 },
      { label: '201', value: 201 },
    ]);
    expect(partsOf(new Map([[{ a: 1 }, 2]]), 0, 9)).toEqual([{ label: '1 field', value: 2 }]);
    expect(partsOf('text', 0, 9)).toEqual([]);
  });

  it('can be copied as JSON', () => {
    expect(JSON.parse(textOfValue({ at: new Date(0), big: 1n, map: new Map([['a', new Set([1])]]), re: /x/ }))).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      big: '1n',
      map: { a: [1] },
      re: '/x/',
    });
    expect(textOfValue(undefined)).toBe('undefined');
  });
});
