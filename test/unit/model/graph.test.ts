import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { buildGraph, type GraphTask } from '../../../src/model/graph.ts';

const task = (name: string, needs: string[] = [], rest: Partial<GraphTask> = {}): GraphTask => ({
  name,
  needs,
  after: [],
  each: null,
  ...rest,
});

describe('buildGraph', () => {
  test('each task comes after all it waits for, in the order of declaration where that is free', () => {
    const built = buildGraph([task('d', ['b', 'c']), task('b', ['a']), task('c', ['a']), task('a')]);
    expect(built).toMatchObject({ graph: { nodes: ['a', 'b', 'c', 'd'], sinks: ['d'] } });
  });

  test('an unknown name is told with the option that named it', () => {
    expect(buildGraph([task('a', [], { after: ['x'] })])).toEqual({ fault: { kind: 'unknown', task: 'a', need: 'x', option: 'after' } });
    expect(buildGraph([task('a', [], { each: 'x' })])).toEqual({ fault: { kind: 'unknown', task: 'a', need: 'x', option: 'each' } });
  });

  test('a circle is told as a path that ends where it began', () => {
    const built = buildGraph([task('start'), task('a', ['start', 'c']), task('b', ['a']), task('c', ['b'])]);
    expect(built).toMatchObject({ fault: { kind: 'cycle' } });
    const path = 'fault' in built && built.fault.kind === 'cycle' ? built.fault.path : [];
    expect(path[0]).toBe(path.at(-1));
    expect([...new Set(path)].toSorted()).toEqual(['a', 'b', 'c']);
    expect(buildGraph([task('a', ['a'])])).toEqual({ fault: { kind: 'cycle', path: ['a', 'a'] } });
  });

  test('any graph whose edges point backwards is ordered, with all its nodes and edges', () => {
    const anyTasks = fc
      .array(fc.array(fc.nat(200), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
      .map((lists) => lists.map((picks, at) => task(`t${at}`, at === 0 ? [] : [...new Set(picks.map((pick) => `t${pick % at}`))])));
    fc.assert(
      fc.property(anyTasks, (tasks) => {
        const built = buildGraph(tasks.toReversed());
        if (!('graph' in built)) throw new Error(JSON.stringify(built.fault));
        const place = new Map(built.graph.nodes.map((name, at) => [name, at]));
        expect(place.size).toBe(tasks.length);
        for (const { from, to } of built.graph.edges) expect(place.get(from)).toBeLessThan(place.get(to) ?? -1);
      }),
    );
  });
});
