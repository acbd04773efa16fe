import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hintFor, nearestNames } from '../../../src/base/nearest.ts';

const names = ['flights', 'airports', 'join', 'write', 'flight-delays'];

test.each([
  ['fligths', ['flights']],
  ['JOIN', ['join']],
  ['joins', ['join']],
  ['writ', ['write']],
  ['zebra', []],
  ['', []],
])('the names near %j are %j', (wanted, near) => {
  expect(nearestNames(wanted, names)).toEqual(near);
});

test('the best comes first, equals in the order of the alphabet, and no more than asked for', () => {
  expect(nearestNames('task1', ['task3', 'task2', 'task1', 'task11'])).toEqual(['task1', 'task11', 'task2']);
  expect(nearestNames('task1', ['task3', 'task2', 'task1'], 1)).toEqual(['task1']);
});

test('a name is its own nearest, however long it is and however many there are', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 200 }), fc.array(fc.string(), { maxLength: 20 }), (name, others) => {
      expect(nearestNames(name, [...others, name], 100)).toContain(name);
    }),
  );
});

test('the hint names the nearest, else some that are known, else nothing', () => {
  expect(hintFor('fligths', names, 'Tasks are')).toBe(" Did you mean 'flights'?");
  expect(hintFor('zebra', ['a', 'b'], 'Tasks are')).toBe(' Tasks are: a, b.');
  const many = Array.from({ length: 12 }, (_, at) => `task-number-${at}`);
  expect(hintFor('zebra', many, 'Tasks are')).toBe(` Tasks are: ${many.slice(0, 10).join(', ')} and 2 more.`);
  expect(hintFor('zebra', [], 'Tasks are')).toBe('');
});
