import { expect, test } from 'vitest';
import { graphChange } from '../../../src/client/graph-changes.ts';

/** `a`, `b:a` (b needs a), `c:a+b`, `d:>a` (after a), `e:*a` (each of a). */
function graph(...tasks: string[]): unknown {
  const parsed = tasks.map((text) => text.split(':'));
  return {
    nodes: parsed.map(([name]) => ({ name, retries: 0 })),
    edges: parsed.flatMap(([to, needs]) =>
      (needs?.split('+') ?? []).map((need) => {
        const kind = need.startsWith('>') ? 'order' : need.startsWith('*') ? 'each' : 'data';
        return { from: need.replace(/^[>*]/, ''), to, kind };
      }),
    ),
    sinks: [],
  };
}

test.each([
  ['the same', graph('a', 'b:a'), graph('a', 'b:a')],
  ['the same in another order', graph('a', 'b', 'c:a+b'), graph('b', 'a', 'c:b+a')],
  ['with other options of its tasks', graph('a'), { nodes: [{ name: 'a', retries: 9 }], edges: [] }],
  ['no graph before', null, graph('a')],
  ['nothing that is one', graph('a'), { nodes: 7 }],
])('a graph that is %s is no change', (_what, before, after) => {
  expect(graphChange(before, after)).toBeNull();
});

test('tasks that are added and removed are named, and what needs others than before', () => {
  expect(graphChange(graph('a', 'b:a', 'c:b'), graph('a', 'x:a', 'c:x+a'))).toEqual({
    added: ['x'],
    removed: ['b'],
    rewired: [{ task: 'c', before: ['b'], after: ['a', 'x'] }],
  });
});

test('a task that only comes after another, or runs for each of its items, is told apart', () => {
  expect(graphChange(graph('a', 'b:a', 'c:a'), graph('a', 'b:>a', 'c:*a'))?.rewired).toEqual([
    { task: 'b', before: ['a'], after: ['after a'] },
    { task: 'c', before: ['a'], after: ['each of a'] },
  ]);
});
