import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, isLongerThan } from '../../../src/base/cut-text.ts';
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
