import { describe, expect, test } from 'vitest';
import { checkFairness, checkFairTemplate, turnText, weightOfKey } from '../../../src/model/fairness.ts';

describe('fairness', () => {
  test('is a template, a function, or either with weights', () => {
    const key = (): string => 'a';
    expect(checkFairness('Etl', '{customer}')).toEqual({ key: '{customer}', weight: null });
    expect(checkFairness('Etl', key)).toEqual({ key, weight: null });
    const weight = (): number => 2;
    expect(checkFairness('Etl', { key: '{customer}', weight })).toEqual({ key: '{customer}', weight });
  });

  test.each([
    ['', 'OPTION_INVALID'],
    [7, 'OPTION_INVALID'],
    [['{a}'], 'OPTION_INVALID'],
    [null, 'OPTION_INVALID'],
    [{ weight: () => 1 }, 'OPTION_INVALID'],
    [{ key: '{a}', weight: 2 }, 'OPTION_INVALID'],
    [{ key: '{a}', wait: 2 }, 'OPTION_UNKNOWN'],
  ])('%j is refused', (value, code) => {
    expect(() => checkFairness('Etl', value)).toThrow(expect.objectContaining({ code }));
  });

  test('of a deployment is a template', () => {
    expect(checkFairTemplate('Deployment a', '{customer}')).toBe('{customer}');
    for (const value of ['', 1, () => 'a', { key: '{a}' }])
      expect(() => checkFairTemplate('Deployment a', value)).toThrow('must be a template');
  });

  test('a weight that is none counts as 1 and is told; one that is out of bounds counts as the nearest', () => {
    const faults: string[] = [];
    const of = (weight: unknown): number => weightOfKey({ weight: () => weight as number }, 'a', (why) => faults.push(why));
    expect([2, 0.5, 1e9, 1e-9].map(of)).toEqual([2, 0.5, 1_000, 0.001]);
    expect(faults).toEqual([]);
    expect([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 'two', undefined].map(of)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(faults).toHaveLength(6);
    const throwing = (): number => {
      throw new Error('no plan for it');
    };
    expect(weightOfKey({ weight: throwing }, 'a', (why) => faults.push(why))).toBe(1);
    expect(faults.at(-1)).toBe('it threw: no plan for it');
    expect(weightOfKey({ weight: null }, 'a', () => undefined)).toBe(1);
  });

  test('why a run waits is told in words', () => {
    expect(turnText('acme', 1_200, 11)).toBe('Waits its turn: 1,200 runs of acme are before it, and 11 keys take turns in its queue.');
    expect(turnText('acme', 1, 2)).toBe('Waits its turn: 1 run of acme is before it, and 2 keys take turns in its queue.');
    expect(turnText('acme', 0, 1)).toBe('Waits its turn: It is the next of acme.');
  });
});
