import { endsBar } from '../../../src/cli/render/bar.ts';
import { describe, expect, it } from 'vitest';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { RunTree } from '../../../src/cli/render/run-tree.ts';
import { treeLines } from '../../../src/cli/render/tree-lines.ts';
import { widthOf } from '../../../src/cli/render/width.ts';
import { failureOf } from '../../../src/model/failure.ts';
import { stateOf } from '../../../src/model/state.ts';
import { noon, runOf, taskRunOf } from './samples.ts';

const plain = paintOf(false);
const shape = {
  names: ['flights', 'airports', 'resize', 'join'],
  edges: [
    { from: 'flights', to: 'resize', kind: 'each' as const },
    { from: 'resize', to: 'join', kind: 'data' as const },
    { from: 'airports', to: 'join', kind: 'data' as const },
  ],
};

function frame(tree: RunTree, change: { columns?: number; rows?: number; now?: number; frame?: number | null } = {}): string[] {
  return treeLines(tree, { columns: 80, rows: 24, now: noon + 2_000, frame: 0, paint: plain, ...change });
}

describe('the tree of a run', () => {
  it('shows what runs, what waits for what, progress and attempts', () => {
    const tree = new RunTree(runOf(), shape);
    tree.applyTaskRun(taskRunOf('flights', stateOf('COMPLETED'), { endedAt: noon + 1_200 }));
    tree.applyTaskRun(taskRunOf('airports', stateOf('RUNNING', 'Retrying'), { attempt: 2, progress: { done: 1_024, total: 2_048 } }));
    expect(frame(tree)).toEqual([
      '● flight-delays  2.0 s · quick-otter · 00000001',
      '  ✓ flights      1.2 s',
      '  ⠋ airports     2.0 s  attempt 2  ██████████░░░░░░░░░░ 50 %  1,024/2,048',
      '  ○ resize',
      '  ○ join                waits for resize, airports',
    ]);
  });

  it('a mapped task is one line, however many items it has', () => {
    const tree = new RunTree(runOf(), shape);
    tree.applyItems('resize', 10_000);
    for (let index = 0; index < 10_000; index++) tree.applyTaskRun(taskRunOf('resize', stateOf('RUNNING'), { index }));
    for (let index = 0; index < 8_420; index++)
      tree.applyTaskRun(taskRunOf('resize', stateOf('COMPLETED'), { index, endedAt: noon + 500 }));
    const error = failureOf(new TypeError('too small'));
    tree.applyTaskRun(taskRunOf('resize', stateOf('FAILED'), { index: 9_999, endedAt: noon + 600, error }));
    expect(frame(tree, { columns: 110 })[3]).toBe(
      '  ⠋ resize       2.0 s  █████████████████░░░ 8,421/10,000 · 1,579 running · 1 failed · TypeError: too small',
    );
    expect(tree.counts).toMatchObject({ done: 8_420, running: 1_579, failed: 1 });
  });

  it('says when the next attempt comes and why one is needed', () => {
    const tree = new RunTree(runOf(), shape);
    const error = failureOf(new Error('hung up'));
    tree.applyTaskRun(taskRunOf('flights', stateOf('SCHEDULED', 'AwaitingRetry'), { dueAt: noon + 3_000, error }));
    expect(frame(tree)[1]).toBe('  ◷ flights             next attempt in 1.0 s  hung up');
  });

  it('a run that has ended shows nothing that goes on', () => {
    const tree = new RunTree(runOf(), shape);
    tree.applyItems('resize', 4);
    tree.applyTaskRun(taskRunOf('resize', stateOf('COMPLETED'), { index: 0, endedAt: noon + 500 }));
    tree.run = runOf({ state: stateOf('CANCELLED'), endedAt: noon + 1_000 });
    const lines = frame(tree, { frame: null });
    expect(lines[0]).toBe('⊘ flight-delays  1.0 s · quick-otter · 00000001');
    expect(lines[3]).toMatch(/^ {2}⊘ resize +500 ms {2}█████░+ 1\/4$/);
  });

  it('never has more lines than there is room for, and shows first what runs and what failed', () => {
    const names = Array.from({ length: 500 }, (_, at) => `task${at}`);
    const tree = new RunTree(runOf(), { names, edges: [] });
    for (const name of names.slice(0, 300)) tree.applyTaskRun(taskRunOf(name, stateOf('COMPLETED'), { endedAt: noon + 10 }));
    tree.applyTaskRun(taskRunOf('task3', stateOf('FAILED'), { endedAt: noon + 10 }));
    tree.applyTaskRun(taskRunOf('task400', stateOf('RUNNING')));
    const lines = frame(tree, { rows: 10 });
    expect(lines).toHaveLength(10);
    expect(lines.some((line) => line.includes('✕ task3 '))).toBe(true);
    expect(lines.some((line) => line.includes('⠋ task400'))).toBe(true);
    expect(lines.at(-1)).toBe('  … and ✓ 293 done  ◷ 199 waiting');
  });

  it.each([24, 40, 80])('the id of the run is in the head at %i columns, whatever else has room', (columns) => {
    for (const flow of ['hello', 'a-flow-whose-name-is-longer-than-half-of-the-widest-of-these-terminals']) {
      for (const state of [stateOf('RUNNING'), stateOf('SCHEDULED', 'AwaitingSlot')]) {
        const [head = ''] = frame(new RunTree(runOf({ flow, state }), shape), { columns });
        if (columns > 24 || state.type === 'RUNNING') expect(head).toContain('00000001');
        expect(widthOf(head)).toBeLessThanOrEqual(columns);
      }
    }
    expect(frame(new RunTree(runOf(), shape), { columns: 80 })[0]).toContain('quick-otter');
  });

  it.each([20, 40, 60])('no line is wider than %i columns', (columns) => {
    const tree = new RunTree(runOf({ name: 'a-name-that-goes-on-and-on' }), shape);
    tree.applyTaskRun(taskRunOf('flights', stateOf('RUNNING'), { progress: { done: 3, total: 9 }, displayName: '日本語の名前'.repeat(6) }));
    tree.applyItems('resize', 1_000);
    for (const line of frame(tree, { columns })) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  it('a sub-flow hangs below the task that stands for it', () => {
    const tree = new RunTree(runOf(), { names: [], edges: [] });
    tree.applyTaskRun(taskRunOf('flow:extract', stateOf('RUNNING')));
    const child = runOf({ id: '019bc1f2-7a00-7000-8000-000000000002', flow: 'extract', parentRunId: runOf().id });
    const adopted = tree.apply({ kind: 'task', run: child, taskRun: taskRunOf('read', stateOf('RUNNING'), { runId: child.id }) });
    expect(adopted?.run.id).toBe(child.id);
    expect(frame(tree)).toEqual(['● flight-delays  2.0 s · quick-otter · 00000001', '  ⠋ ↳ extract     2.0 s', '    ⠋ read     2.0 s']);
  });

  it('a task that failed and then succeeds is no longer a failure', () => {
    const tree = new RunTree(runOf(), shape);
    tree.applyTaskRun(taskRunOf('flights', stateOf('FAILED'), { error: failureOf(new Error('no')) }));
    tree.applyTaskRun(taskRunOf('flights', stateOf('COMPLETED'), { endedAt: noon + 1 }));
    expect(tree.counts).toMatchObject({ done: 1, failed: 0, waiting: 3 });
    expect(tree.failed.size).toBe(0);
  });

  it('cuts the bar of a mapped task by how its items ended, and never hides the few that failed', () => {
    const bar = endsBar({ done: 496, failed: 7, stopped: 0, total: 503 }, 20, paintOf(true));
    expect(bar).toContain(paintOf(true).red('█'));
    const plain = (ends: Parameters<typeof endsBar>[0]): string => endsBar(ends, 20, paintOf(false));
    expect(plain({ done: 65, failed: 0, stopped: 0, total: 500 })).toBe('███░░░░░░░░░░░░░░░░░');
    expect(plain({ done: 0, failed: 0, stopped: 0, total: 500 })).toBe('░'.repeat(20));
    expect(plain({ done: 1, failed: 1, stopped: 1, total: 100_000 })).toBe(`███${'░'.repeat(17)}`);
  });
});
