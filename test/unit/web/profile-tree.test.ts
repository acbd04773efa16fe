import { describe, expect, test } from 'vitest';
import { busiest, type Frame, layFrames, readProfile } from '../../../web/src/values/profile-tree.ts';

const node = (id: number, functionName: string, children: readonly number[] = [], hitCount = 0, lineNumber = id) => ({
  ...{ id, hitCount, children },
  callFrame: { functionName, url: functionName.startsWith('(') ? '' : 'file:///flows/shop.ts', lineNumber, scriptId: '1', columnNumber: 0 },
});

/** Two calls of `load` from two places in `main`, and a rest in between. */
const profile = {
  nodes: [
    node(1, '(root)', [2, 3]),
    node(2, 'main', [4, 5]),
    node(3, '(idle)'),
    node(4, 'load', [6], 0, 9),
    node(5, 'load', [7], 0, 9),
    node(6, 'parse', [], 0, 20),
    node(7, 'parse', [], 0, 20),
  ],
  startTime: 1_000,
  endTime: 11_000,
  samples: [2, 4, 6, 3, 5, 7],
  // The second sample begins 1 ms after the first; the last lasts until the end.
  timeDeltas: [0, 1_000, 2_000, 1_000, 3_000, -500],
};

const named = ({ name, place, selfMs, totalMs, children }: Frame): unknown => [name, place, selfMs, totalMs, children.map(named)];

describe('a CPU profile', () => {
  test('is a tree of functions with the time of each, the same one called by the same once, and without rest', () => {
    const root = readProfile(profile);
    // 500 µs that the clock went back belong to nobody.
    expect(root && named(root)).toEqual([
      ...['all', '', 0, 7.5],
      [['main', 'shop.ts:3', 1, 7.5, [['load', 'shop.ts:10', 2, 6.5, [['parse', 'shop.ts:21', 4.5, 4.5, []]]]]]],
    ]);
  });

  test('without samples has the times that its hits say', () => {
    const root = readProfile({
      nodes: [node(1, '(root)', [2, 3]), node(2, 'main', [], 3), node(3, 'other', [], 1)],
      startTime: 0,
      endTime: 8_000,
    });
    expect(root?.children.map(({ name, selfMs }) => [name, selfMs])).toEqual([
      ['main', 6],
      ['other', 2],
    ]);
  });

  test.each<[string, unknown]>([
    ['no object', 'text'],
    ['no nodes', {}],
    ['an id twice', { nodes: [node(1, 'a'), node(1, 'b')] }],
    ['a child that is not there', { nodes: [node(1, 'a', [2])] }],
    ['a circle', { nodes: [node(1, 'a', [2]), node(2, 'b', [1])] }],
    ['a child of two', { nodes: [node(1, 'a', [2, 3]), node(2, 'b', [3]), node(3, 'c')] }],
    ['a node without a function', { nodes: [{ id: 1 }] }],
  ])('that is broken is none: %s', (_, data) => {
    expect(readProfile(data)).toBeNull();
  });

  test('that is very deep is read, and drawn as far as there are boxes', () => {
    const deep = 20_000;
    const nodes = Array.from({ length: deep }, (_, at) => node(at + 1, `f${at}`, at + 1 < deep ? [at + 2] : [], 1));
    const root = readProfile({ nodes });
    expect(root?.totalMs).toBe(deep);
    expect(root && layFrames(root, 20_000)).toHaveLength(4_000);
  });

  test('is drawn in boxes as wide as their functions took long, none narrower than a pixel', () => {
    const nodes = [node(1, '(root)', [2, 3, 4]), node(2, 'short', [], 1), node(3, 'long', [], 998), node(4, 'shorter', [], 1)];
    const root = readProfile({ nodes });
    expect(root && layFrames(root, 500).map(({ frame, x, width, depth }) => [frame.name, x, width, depth])).toEqual([
      ['all', 0, 500, 0],
      ['long', 0, 499, 1],
    ]);
    expect(root && layFrames(root, 0)).toEqual([]);
  });

  test('tells the functions that took longest, wherever they were called', () => {
    const nodes = [node(1, '(root)', [2, 3]), node(2, 'a', [4], 1), node(3, 'b', [5], 2), node(4, 'c', [], 3, 7), node(5, 'c', [], 4, 7)];
    const root = readProfile({ nodes });
    expect(root && busiest(root, 2)).toEqual([
      { name: 'c', place: 'shop.ts:8', selfMs: 7 },
      { name: 'b', place: 'shop.ts:4', selfMs: 2 },
    ]);
  });
});
