import { describe, expect, it } from 'vitest';
import { criticalPath, longestPath } from '../../../web/src/graph/critical-path.ts';
import { differenceOf } from '../../../web/src/graph/graph-difference.ts';
import { countsByName, graphOfFlow, graphOfGroups, graphOfTaskRuns, type TaskRunFacts } from '../../../web/src/graph/graph-model.ts';
import { drawable, groupByName } from '../../../web/src/graph/group-graph.ts';
import { countText } from '../../../web/src/parts/format.ts';
import { progressText, progressWords } from '../../../web/src/parts/progress.ts';
import { barOf, stateOfAll } from '../../../web/src/graph/state-counts.ts';
import { readStoredGraph } from '../../../web/src/graph/stored-graph.ts';

function taskRun(name: string, facts: Partial<TaskRunFacts> = {}): TaskRunFacts {
  return {
    id: facts.id ?? `id-${facts.key ?? name}`,
    name,
    key: name,
    displayName: null,
    index: null,
    attempt: 1,
    startedAt: 100,
    endedAt: 200,
    dependsOn: null,
    childRunId: null,
    progress: null,
    state: { name: 'Completed' },
    ...facts,
  };
}

const diamond = readStoredGraph({
  nodes: [{ name: 'a' }, { name: 'b', needs: ['a'] }, { name: 'c', each: 'a' }, { name: 'd', needs: ['b', 'c'] }],
  edges: [
    { from: 'a', to: 'b', kind: 'data' },
    { from: 'a', to: 'c', kind: 'each' },
    { from: 'b', to: 'd', kind: 'data' },
    { from: 'c', to: 'd', kind: 'data' },
  ],
});

describe('the graph of a flow', () => {
  it('gathers the items of a mapped task in one node with its states counted', () => {
    const runs = [
      taskRun('a'),
      taskRun('c', { key: 'c[0]', index: 0 }),
      taskRun('c', { key: 'c[1]', index: 1, state: { name: 'Running' }, endedAt: null, attempt: 3 }),
    ];
    const { nodes } = graphOfFlow(diamond, runs);
    expect(nodes.map(({ id, kind, state }) => [id, kind, state])).toEqual([
      ['a', 'task', 'Completed'],
      ['b', 'task', null],
      ['c', 'mapped', 'Running'],
      ['d', 'task', null],
    ]);
    expect(nodes[2]).toMatchObject({ counts: { Completed: 1, Running: 1 }, attempts: 3, startedAt: 100, endedAt: null, note: 'each of a' });
  });

  it('says of a task that it runs apart, in what, with how much memory, and that it is profiled', () => {
    const stored = readStoredGraph({
      nodes: [
        { name: 'resize', isolate: 'thread' },
        { name: 'render', isolate: 'process', memoryBytes: 512 * 2 ** 20, profile: true },
        { name: 'plain', isolate: null, memoryBytes: null, profile: false },
      ],
      edges: [],
    });
    expect(graphOfFlow(stored, []).nodes.map(({ note }) => note)).toEqual([
      'own thread',
      'own process · at most 512 MiB · CPU profile',
      null,
    ]);
    const other = readStoredGraph({ nodes: [{ name: 'resize', isolate: 'process', memoryBytes: 1.5 * 2 ** 30 }], edges: [] });
    expect(differenceOf(stored, other).tasks[0]?.notes).toEqual(['isolate: thread → process', 'memoryBytes: none → 1.5 GiB']);
  });

  it('says of one task run that runs how far it is, not of one that has ended', () => {
    const told = { progress: { done: 37, total: 90 } };
    const running = graphOfFlow(diamond, [taskRun('a', told), taskRun('b', { ...told, state: { name: 'Running' }, endedAt: null })]);
    expect(running.nodes.map(({ progress }) => progress)).toEqual([null, told.progress, null, null]);
    const streams = { progress: { done: 1_200, total: null }, metrics: { out: 1_200, perSecond: 410 } };
    const flowing = graphOfFlow(diamond, [taskRun('a', { ...streams, state: { name: 'Running' }, endedAt: null })]).nodes[0]?.progress;
    expect(flowing && [progressText(flowing), progressWords(flowing)]).toEqual([
      `${countText(1_200)} · 410/s`,
      `${countText(1_200)} done, 410/s`,
    ]);
  });

  it('lights the edge of a stream as soon as records pass', () => {
    const running = { state: { name: 'Running' as const }, endedAt: null };
    const lit = (done: number) =>
      graphOfFlow(diamond, [
        taskRun('a', { ...running, progress: { done, total: null }, metrics: { out: done, perSecond: done } }),
        taskRun('b', running),
      ]).edges.map((edge) => edge.lit);
    expect([lit(0), lit(1)]).toEqual([
      [false, false, false, false],
      [true, false, false, false],
    ]);
  });

  it('lights the edges whose data has passed', () => {
    const { edges } = graphOfFlow(diamond, [taskRun('a'), taskRun('b', { state: { name: 'Running' }, endedAt: null })]);
    expect(edges.filter(({ lit }) => lit).map(({ from, to }) => `${from}>${to}`)).toEqual(['a>b']);
  });

  it('shows task runs that the stored graph does not name', () => {
    const { nodes } = graphOfFlow(diamond, [taskRun('old')]);
    expect(nodes.at(-1)).toMatchObject({ id: 'old', state: 'Completed' });
  });

  it('hangs what undoes on the task that it undoes, whether it was read one by one or counted', () => {
    const rolledBack = { state: { name: 'RolledBack' } } as const;
    const runs = [
      taskRun('a'),
      taskRun('c', { key: 'c[0]', index: 0, ...rolledBack }),
      taskRun('c', { key: 'c[1]', index: 1 }),
      taskRun('undo', { key: 'rollback:1:c[1]', index: 1, dependsOn: ['c[1]'], startedAt: 300, endedAt: 310, state: { name: 'Failed' } }),
      taskRun('undo', { key: 'rollback:1:c[0]', index: 0, dependsOn: ['c[0]'], startedAt: 320, endedAt: 330 }),
    ];
    const groups = [...countsByName(runs)].map(([name, counts]) => ({
      ...{ name, counts, startedAt: 100, endedAt: 200, attempts: 1, single: null },
    }));
    for (const { nodes, edges } of [graphOfFlow(diamond, runs), graphOfGroups(diamond, groups, [{ from: 'c', to: 'undo' }])]) {
      expect(edges.filter(({ to }) => to === 'undo')).toEqual([{ from: 'c', to: 'undo', kind: 'undo', lit: true }]);
      expect(nodes.find(({ id }) => id === 'undo')).toMatchObject({ note: 'undoes c', state: 'Failed' });
      expect(nodes.find(({ id }) => id === 'c')).toMatchObject({ note: 'each of a', state: 'RolledBack' });
    }
  });

  it('believes the counts while task runs are still being loaded', () => {
    const { nodes } = graphOfFlow(diamond, [], new Map([['c', { Completed: 842, Running: 158 }]]));
    expect(nodes.find(({ id }) => id === 'c')).toMatchObject({ state: 'Running', counts: { Completed: 842 } });
  });

  it('reads nothing from a graph of another shape', () => {
    for (const graph of [null, 7, 'x', [], { nodes: 3 }, { nodes: [null, {}, { name: 4 }], edges: [{ from: 'a', to: 'b' }] }])
      expect(readStoredGraph(graph)).toEqual({ tasks: [], edges: [] });
  });
});

describe('the graph of a code flow', () => {
  it('is made of what each task run was given', () => {
    const runs = [
      taskRun('page', { key: 'page#1' }),
      taskRun('find', { key: 'find#1', dependsOn: ['page#1', 'page#1', 'gone'] }),
      taskRun('flow:child', { key: 'flow#1', childRunId: 'r2', dependsOn: ['find#1'] }),
    ];
    const { nodes, edges } = graphOfTaskRuns(runs);
    expect(edges.map(({ from, to, lit }) => [from, to, lit])).toEqual([
      ['id-page#1', 'id-find#1', true],
      ['id-find#1', 'id-flow#1', true],
    ]);
    expect(nodes[2]).toMatchObject({ label: 'child', kind: 'flow', childRunId: 'r2' });
  });

  it('is grouped by task when it is too large to draw', () => {
    const runs = Array.from({ length: 10_000 }, (_, at) =>
      taskRun(at % 2 === 0 ? 'page' : 'find', { key: `k${at}`, dependsOn: at === 0 ? null : [`k${at - 1}`] }),
    );
    const { graph, grouped } = drawable(graphOfTaskRuns(runs));
    expect(grouped).toBe(true);
    expect(graph.nodes.map(({ label, counts }) => [label, counts])).toEqual([
      ['page', { Completed: 5_000 }],
      ['find', { Completed: 5_000 }],
    ]);
    expect(graph.edges).toHaveLength(2);
  });

  it('is grouped by step when each of its many tasks has a name of its own', () => {
    const runs = Array.from({ length: 5_000 }, (_, at) => taskRun(`t${at}`, { dependsOn: at < 2_500 ? null : [`t${at - 2_500}`] }));
    const { graph } = drawable(graphOfTaskRuns(runs));
    expect(graph.nodes.map(({ label, counts }) => [label, counts.Completed])).toEqual([
      ['Step 1', 2_500],
      ['Step 2', 2_500],
    ]);
    const chain = Array.from({ length: 5_000 }, (_, at) => taskRun(`t${at}`, { dependsOn: [`t${at - 1}`] }));
    const { graph: stretches } = drawable(graphOfTaskRuns(chain));
    expect(stretches.nodes.length).toBeLessThanOrEqual(120);
    expect(stretches.nodes[0]?.label).toBe('Steps 1 to 42');
  });

  it('shows what came after what where nothing tells what was given', () => {
    const runs = [
      taskRun('page', { startedAt: 0, endedAt: 10 }),
      taskRun('find', { startedAt: 10, endedAt: 20 }),
      taskRun('count', { startedAt: 10, endedAt: 15 }),
      taskRun('next', { startedAt: 20, endedAt: 30 }),
      taskRun('given', { startedAt: 31, endedAt: 32, dependsOn: ['page'] }),
    ];
    expect(graphOfTaskRuns(runs).edges.map(({ from, to, kind }) => [from, to, kind])).toEqual([
      ['id-page', 'id-given', 'data'],
      ['id-page', 'id-find', 'order'],
      ['id-page', 'id-count', 'order'],
      ['id-count', 'id-next', 'order'],
      ['id-find', 'id-next', 'order'],
    ]);
  });

  it('groups by name on request', () => {
    expect(groupByName(graphOfTaskRuns([taskRun('a', { key: '1' }), taskRun('a', { key: '2' })])).nodes).toHaveLength(1);
  });
});

describe('the critical path', () => {
  it('goes back from the last end to what was waited for longest', () => {
    const { nodes, edges } = graphOfFlow(diamond, [
      taskRun('a', { startedAt: 0, endedAt: 10 }),
      taskRun('b', { startedAt: 10, endedAt: 90 }),
      taskRun('c', { startedAt: 10, endedAt: 50 }),
      taskRun('d', { startedAt: 90, endedAt: 99 }),
    ]);
    expect(criticalPath(nodes, edges)).toEqual(['a', 'b', 'd']);
  });

  it('takes what still runs as the end, and is empty before anything began', () => {
    const { nodes, edges } = graphOfFlow(diamond, [
      taskRun('a', { startedAt: 0, endedAt: 10 }),
      taskRun('b', { startedAt: 10, endedAt: 90 }),
      taskRun('c', { startedAt: 10, endedAt: null, state: { name: 'Running' } }),
    ]);
    expect(criticalPath(nodes, edges)).toEqual(['a', 'c']);
    expect(criticalPath([{ id: 'a', startedAt: null, endedAt: null }], [])).toEqual([]);
  });

  it('ends on a graph with a circle', () => {
    const at = { startedAt: 0, endedAt: 1 };
    const edges = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ];
    expect(
      criticalPath(
        [
          { id: 'a', ...at },
          { id: 'b', ...at },
        ],
        edges,
      ).length,
    ).toBeGreaterThan(0);
    expect(longestPath(['a', 'b'], edges, () => 1)).toEqual([]);
  });

  it('before any run is the longest by usual durations', () => {
    const usual: Record<string, number> = { a: 5, b: 1, c: 50, d: 1 };
    expect(longestPath(['a', 'b', 'c', 'd'], diamond.edges, (id) => usual[id] ?? 0)).toEqual(['a', 'c', 'd']);
  });
});

describe('states', () => {
  it('of many are told by what moves, then what waits, then the worst end', () => {
    expect(stateOfAll({ Completed: 9, Failed: 1, Running: 1 })).toBe('Running');
    expect(stateOfAll({ Completed: 9, Failed: 1 })).toBe('Failed');
    expect(stateOfAll({ Completed: 9, Failed: 0 })).toBe('Completed');
    expect(stateOfAll({})).toBeNull();
    expect(barOf({ Running: 1, Completed: 2, Failed: 0 })).toEqual([
      { state: 'Completed', count: 2 },
      { state: 'Running', count: 1 },
    ]);
    expect(countsByName([taskRun('a'), taskRun('a')]).get('a')).toEqual({ Completed: 2 });
  });
});

describe('the difference of two graphs', () => {
  it('names added, removed and changed tasks, and the edges between', () => {
    const after = readStoredGraph({
      nodes: [
        { name: 'a', retries: 3 },
        { name: 'b', needs: ['a'] },
        { name: 'c', each: 'a' },
        { name: 'e', needs: ['b'] },
      ],
      edges: [
        { from: 'a', to: 'b', kind: 'data' },
        { from: 'a', to: 'c', kind: 'each' },
        { from: 'b', to: 'e', kind: 'data' },
      ],
    });
    const { tasks, edges, isSame } = differenceOf(diamond, after);
    expect(isSame).toBe(false);
    expect(tasks.map(({ name, difference, notes }) => [name, difference, ...notes])).toEqual([
      ['a', 'changed', 'retries: 0 → 3'],
      ['b', 'same'],
      ['c', 'same'],
      ['e', 'added'],
      ['d', 'removed'],
    ]);
    expect(edges.filter(({ difference }) => difference === 'removed').map(({ from }) => from)).toEqual(['b', 'c']);
    expect(differenceOf(diamond, diamond).isSame).toBe(true);
  });
});
