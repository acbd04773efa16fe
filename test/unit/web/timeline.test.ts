import { describe, expect, it } from 'vitest';
import {
  changesByTask,
  readiness,
  runRow,
  spanOf,
  type TimelineChange,
  type TimelineTask,
  timelineRows,
} from '../../../web/src/timeline/timeline-model.ts';
import { axisMarks, pan, wholeView, zoom } from '../../../web/src/timeline/timeline-view.ts';

function task(id: string, facts: Partial<TimelineTask> = {}): TimelineTask {
  return {
    id,
    name: id,
    displayName: null,
    index: null,
    attempt: 1,
    startedAt: 100,
    endedAt: 200,
    state: { type: 'COMPLETED', name: 'Completed' },
    ...facts,
  };
}

function change(
  taskRunId: string | null,
  at: number,
  type: TimelineChange['type'],
  name: TimelineChange['name'],
  attempt = 1,
): TimelineChange {
  return { taskRunId, at, type, name, attempt, message: null };
}

describe('the timeline', () => {
  it('draws each attempt as a segment, with what was waited between', () => {
    const changes = changesByTask([
      change('a', 100, 'RUNNING', 'Running'),
      change('b', 105, 'RUNNING', 'Running'),
      change('a', 150, 'SCHEDULED', 'AwaitingRetry'),
      change('a', 180, 'RUNNING', 'Retrying', 2),
      change('a', 250, 'COMPLETED', 'Completed', 2),
    ]);
    const [row] = timelineRows([task('a', { attempt: 2 })], changes);
    expect(row?.segments).toEqual([
      { kind: 'executing', fromAt: 100, untilAt: 150, attempt: 1, state: 'AwaitingRetry' },
      { kind: 'waiting', fromAt: 150, untilAt: 180, attempt: 1, state: 'AwaitingRetry' },
      { kind: 'executing', fromAt: 180, untilAt: 250, attempt: 2, state: 'Completed' },
    ]);
    expect(row).toMatchObject({ fromAt: 100, untilAt: 250, attempts: 2 });
  });

  it('leaves the segment of what still runs open, and draws a suspended one apart', () => {
    const row = runRow('run', 'Suspended', [
      change(null, 1, 'SCHEDULED', 'Scheduled'),
      change(null, 5, 'PENDING', 'Pending'),
      change(null, 6, 'RUNNING', 'Running'),
      change(null, 9, 'PAUSED', 'Suspended'),
    ]);
    expect(row.segments.map(({ kind, fromAt, untilAt }) => [kind, fromAt, untilAt])).toEqual([
      ['waiting', 1, 6],
      ['executing', 6, 9],
      ['suspended', 9, null],
    ]);
    expect(row.untilAt).toBeNull();
  });

  it('shows waiting that nobody recorded, from the end of the last need', () => {
    const tasks = [task('a', { startedAt: 0, endedAt: 10 }), task('b', { startedAt: 30, endedAt: 40 })];
    const rows = timelineRows(tasks, new Map(), readiness([{ from: 'a', to: 'b' }], tasks));
    expect(rows[1]?.segments[0]).toEqual({ kind: 'waiting', fromAt: 10, untilAt: 30, attempt: 1, state: 'Pending' });
  });

  it('draws what was taken from the cache where it was taken, although it never ran', () => {
    const cached = { state: { type: 'COMPLETED', name: 'Cached' }, startedAt: 120, endedAt: 120 } as const;
    const rows = timelineRows(
      [task('late', { startedAt: 130 }), task('a', cached)],
      changesByTask([change('a', 120, 'COMPLETED', 'Cached')]),
    );
    expect(rows.map(({ id }) => id)).toEqual(['a', 'late']);
    expect(rows[0]?.segments).toEqual([{ kind: 'executing', fromAt: 120, untilAt: 120, attempt: 1, state: 'Cached' }]);
  });

  it('says how far a task is while it runs', () => {
    const progress = { done: 37, total: 90 };
    const running = { state: { type: 'RUNNING', name: 'Running' }, progress, endedAt: null } as const;
    const rows = timelineRows([task('a', running), task('b', { progress })], new Map());
    expect(rows.map((row) => row.progress)).toEqual([progress, null]);
  });

  it('puts what has not begun last, and names the items of mapped tasks', () => {
    const rows = timelineRows([task('c', { startedAt: null, endedAt: null }), task('b', { name: 'load', index: 3 })], new Map());
    expect(rows.map(({ label }) => label)).toEqual(['load [3]', 'c']);
    expect(spanOf(rows, 500)).toEqual({ fromAt: 100, untilAt: 200 });
    expect(spanOf([], 500)).toBeNull();
  });
});

describe('the view of a timeline', () => {
  const whole = wholeView({ fromAt: 0, untilAt: 1_000 });

  it('zooms around the pointer and never leaves the whole', () => {
    const closer = zoom(whole, whole, 500, 0.5);
    expect((500 - closer.fromAt) / (closer.untilAt - closer.fromAt)).toBeCloseTo(500 / 1_040);
    expect(zoom(closer, whole, 500, 100)).toEqual(whole);
    expect(pan(closer, whole, -9_999).fromAt).toBe(0);
    expect(pan(closer, whole, 9_999).untilAt).toBe(1_040);
    expect(zoom(whole, whole, 500, 0).untilAt - zoom(whole, whole, 500, 0).fromAt).toBeCloseTo(1);
  });

  it('marks its axis at round times since the beginning', () => {
    expect(axisMarks({ fromAt: 0, untilAt: 1_040 }, 0, 6).map(({ label }) => label)).toEqual([
      '0',
      '200 ms',
      '400 ms',
      '600 ms',
      '800 ms',
      '1.0 s',
    ]);
    expect(axisMarks({ fromAt: 0, untilAt: 7_400_000 }, 0, 6).map(({ label }) => label)).toEqual(['0', '30 m', '1 h', '1 h 30 m', '2 h']);
    expect(axisMarks({ fromAt: 0, untilAt: 86_400_000 * 4_000 }, 0, 6).length).toBeLessThanOrEqual(7);
  });
});
