/** Which occurrences complete a window. */
import { expect, test } from 'vitest';
import { byTime, completeSet, debounceDue, type WaitingCause } from '../../../src/model/triggers/windows.ts';

/** `a1@5`: source a, occurrence 1, at 5. */
function causesOf(text: string): readonly WaitingCause[] {
  return text.split(' ').map((one) => {
    const [cause = '', at] = one.split('@');
    return { cause, source: cause.charCodeAt(0) - 97, at: Number(at) };
  });
}

/** The sets of a window of 10 over two sources, as a store takes them: what is older than the chosen one of its source is used up. */
function setsOf(batches: readonly string[]): readonly string[] {
  const sets: string[] = [];
  let open: readonly WaitingCause[] = [];
  for (const batch of batches) {
    open = [...open, ...causesOf(batch)];
    for (let set = completeSet(open, 2, 10); set !== null; set = completeSet(open, 2, 10)) {
      const chosen = set;
      sets.push(chosen.map(({ cause }) => cause).join(' '));
      open = open.filter((one) => !chosen.some((last) => last.source === one.source && byTime(one, last) <= 0));
    }
  }
  return sets;
}

test.each([
  ['a1@1 b1@2 a2@3 b2@4', ['a1 b1', 'a2 b2']],
  ['a1@1 a2@2 b1@3', ['a2 b1']],
  ['b1@1 a1@12 b2@13', ['a1 b2']],
  ['a1@1 b1@11', ['a1 b1']],
  ['a1@1 b1@12', []],
  ['a1@5 a2@5 b1@5', ['a2 b1']],
  ['a1@1 a2@2', []],
])('%s fires for the same sets all at once and one by one', (text, sets) => {
  expect(setsOf([text])).toEqual(sets);
  expect(setsOf(text.split(' '))).toEqual(sets);
});

test('what comes out of order counts by when it occurred', () => {
  expect(setsOf(['b1@5 a9@90', 'a1@1', 'b9@99'])).toEqual(['a1 b1', 'a9 b9']);
  expect(setsOf(['b9@99 a1@1 b1@5 a9@90'])).toEqual(['a1 b1', 'a9 b9']);
});

test('a debounce ends when it has been quiet for so long, or by the time it may take at most', () => {
  expect(debounceDue({ waitMs: 10, maxWaitMs: null }, 0, 100)).toBe(110);
  expect(debounceDue({ waitMs: 10, maxWaitMs: 50 }, 0, 100)).toBe(50);
  expect(debounceDue({ waitMs: 10, maxWaitMs: 50 }, 0, 20)).toBe(30);
});

test('of what occurred at the same instant the same one counts, in whatever order it is looked at', () => {
  for (const text of ['a1@5 a2@5 b1@6', 'a2@5 a1@5 b1@6', 'b1@6 a2@5 a1@5'])
    expect(completeSet(causesOf(text), 2, 10)?.map(({ cause }) => cause)).toEqual(['a2', 'b1']);
  expect(
    causesOf('a2@5 a1@5 a1@4')
      .toSorted(byTime)
      .map(({ cause, at }) => `${cause}@${at}`),
  ).toEqual(['a1@4', 'a1@5', 'a2@5']);
});
