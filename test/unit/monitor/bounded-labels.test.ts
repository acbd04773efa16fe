import { expect, test } from 'vitest';
import { BoundedLabels } from '../../../src/monitor/metrics/bounded-labels.ts';

test('values of a label beyond the cap count as other, each label by itself; known ones stay as they are', () => {
  const labels = new BoundedLabels(2);
  expect(labels.bound(['a', 'x'])).toEqual(['a', 'x']);
  expect(labels.bound(['b', 'x'])).toEqual(['b', 'x']);
  expect(labels.bound(['c', 'x'])).toEqual(['other', 'x']);
  expect(labels.bound(['a', 'y'])).toEqual(['a', 'y']);
  expect(labels.bound(['c', 'z'])).toEqual(['other', 'other']);
  expect(labels.bound(['a', 'x'])).toEqual(['a', 'x']);
});

test('sets of labels are bounded too, however their values are mixed, and so is what is remembered', () => {
  const labels = new BoundedLabels(10);
  const sets = new Set<string>();
  for (let one = 0; one < 10; one++) for (let two = 0; two < 10; two++) sets.add(labels.bound([`${one}`, `${two}`]).join('/'));
  expect(sets.size).toBe(51);
  for (let at = 0; at < 1_000; at++) expect(labels.bound([`new ${at}`, 'x'])).toBe(labels.bound([`newer ${at}`, 'x']));
});

test('a value that is very long is cut', () => {
  expect(new BoundedLabels(5).bound(['x'.repeat(5_000)])[0]).toHaveLength(200);
});
