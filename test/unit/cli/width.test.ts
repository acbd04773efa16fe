import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { cut, oneLine, padEnd, padStart, widthOf } from '../../../src/cli/render/width.ts';

const paint = paintOf(true);

describe('width of text', () => {
  it('colours take no room, wide characters take two cells', () => {
    expect(widthOf(paint.red('abc'))).toBe(3);
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('🚀')).toBe(2);
  });

  it('a text that fits is left as it is, a longer one ends in …', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdefg', 6)).toBe('abcde…');
    expect(cut('abc', 0)).toBe('');
  });

  it('a painted text is never cut inside a code, and what was switched on is switched off', () => {
    const text = `  ${paint.blueBright('⠴')} download  ${paint.dim('2.9 s')}  ${paint.blueBright('███████')}${paint.gray('░')} 90 %`;
    for (let width = 1; width <= widthOf(text); width++) {
      const shown = cut(text, width);
      expect(widthOf(shown)).toBeLessThanOrEqual(width);
      expect(stripVTControlCharacters(shown)).not.toContain('\u001b');
      if (width < widthOf(text)) expect(stripVTControlCharacters(shown).endsWith('…')).toBe(true);
    }
  });

  it('a wide character is never cut in half', () => {
    expect(cut('日本語', 4)).toBe('日…');
    expect(widthOf(cut('日本語', 4))).toBe(3);
  });

  it('padding counts cells', () => {
    expect(padEnd(paint.red('日'), 4)).toBe(`${paint.red('日')}  `);
    expect(padStart('7', 3)).toBe('  7');
  });

  it('nothing a flow says steers the terminal', () => {
    expect(oneLine('a\n\u001b[31mred\u001b[0m\u001b]0;title\u0007\tb\u0000')).toBe('a red b');
  });
});
