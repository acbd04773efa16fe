import { describe, expect, test } from 'vitest';
import { hintFor, nearestNames } from '../../../src/base/nearest.ts';

describe('did you mean', () => {
  test('the nearest come first, far ones do not come', () => {
    expect(nearestNames('flight', ['flights', 'fight', 'airports', 'flight-delays'])).toEqual(['fight', 'flights']);
    expect(nearestNames('Join', ['join'])).toEqual(['join']);
    expect(nearestNames('abc', ['xyz', ''])).toEqual([]);
    expect(nearestNames('aaaa', ['aaab', 'aaac', 'aaad', 'aaae'], 2)).toEqual(['aaab', 'aaac']);
  });

  test('a hint names the nearest, else some of what there is, else nothing', () => {
    expect(hintFor('flight', ['flights'], 'The tasks are')).toBe(" Did you mean 'flights'?");
    expect(hintFor('zzz', ['a1', 'b2'], 'The tasks are')).toBe(' The tasks are: a1, b2.');
    expect(
      hintFor(
        'zzz',
        Array.from({ length: 12 }, (_, at) => `task-${at}`),
        'The tasks are',
      ),
    ).toMatch(/task-9 and 2 more\.$/);
    expect(hintFor('zzz', [], 'The tasks are')).toBe('');
  });

  test('a long list of long names is looked at without trouble', () => {
    const names = Array.from({ length: 30_000 }, (_, at) => `${'x'.repeat(500)}${at}`);
    expect(nearestNames('y'.repeat(600), names)).toEqual([]);
  });
});
