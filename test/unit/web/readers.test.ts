import { describe, expect, it } from 'vitest';
import { LogReader, type Stretch } from '../../../web/src/logs/log-reader.ts';
import { mostHeld } from '../../../web/src/logs/log-window.ts';
import type { TaskRunRow } from '../../../web/src/pages/run/run-data.ts';
import { mostRows, type TaskEvent, TaskRunList } from '../../../web/src/pages/run/task-run-list.ts';

interface Line {
  readonly seq: number;
}

/** A log as the server gives it, with every reading written down. */
function logOf(count: number) {
  const lines: Line[] = Array.from({ length: count }, (_, at) => ({ seq: at + 1 }));
  const asked: Stretch[] = [];
  const load = async (stretch: Stretch): Promise<readonly Line[]> => {
    asked.push(stretch);
    const fitting = lines.filter(({ seq }) => seq > (stretch.after ?? 0) && seq < (stretch.before ?? Number.POSITIVE_INFINITY));
    return stretch.tail === undefined ? fitting.slice(0, stretch.limit) : fitting.slice(-stretch.tail);
  };
  return { lines, asked, load };
}

describe('the reader of a log', () => {
  it('opens at the end and reads back to the beginning, holding only so much', async () => {
    const { load } = logOf(30_000);
    const reader = new LogReader<Line>(load);
    await reader.openAtEnd();
    expect(reader.view.window.lines.at(-1)?.seq).toBe(30_000);
    while (!reader.view.window.atStart) await reader.readBefore();
    expect(reader.view.window.lines[0]?.seq).toBe(1);
    expect(reader.view.window.lines).toHaveLength(mostHeld);
    expect(reader.view.window.atEnd).toBe(false);
  });

  it('opens around a line', async () => {
    const { load } = logOf(10_000);
    const reader = new LogReader<Line>(load);
    await reader.openAround(5_000);
    const { lines, atStart, atEnd } = reader.view.window;
    expect([lines[0]?.seq, lines.at(-1)?.seq, atStart, atEnd]).toEqual([4_500, 5_499, false, false]);
  });

  it('goes along with what is written, and to the end where it is far behind', async () => {
    const { lines, load } = logOf(10);
    const reader = new LogReader<Line>(load);
    await reader.openAtEnd();
    lines.push({ seq: 11 });
    expect(reader.take([{ seq: 11 }])).toBe(true);
    await reader.readAfter(true);
    expect(reader.view.window.lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (let seq = 12; seq <= 50_000; seq++) lines.push({ seq });
    await reader.readAfter(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.view.window.lines.at(-1)?.seq).toBe(50_000);
    expect(reader.view.window.atEnd).toBe(true);
  });

  it('puts lines that became visible late in their place', async () => {
    const { lines, load } = logOf(0);
    lines.push({ seq: 1 }, { seq: 5 });
    const reader = new LogReader<Line>(load);
    await reader.openAtEnd();
    expect(reader.take([{ seq: 3 }, { seq: 5 }])).toBe(false);
    expect(reader.view.window.lines.map(({ seq }) => seq)).toEqual([1, 3, 5]);
  });

  it('forgets what it was reading when it is opened elsewhere', async () => {
    const { load } = logOf(10_000);
    const gates: (() => void)[] = [];
    const reader = new LogReader<Line>(async (stretch) => {
      const read = await load(stretch);
      if (stretch.tail === 1_000) await new Promise<void>((resolve) => gates.push(resolve));
      return read;
    });
    const first = reader.openAtEnd();
    await reader.openAround(100);
    for (const open of gates) open();
    await first;
    expect(reader.view.window.lines[0]?.seq).toBe(1);
    expect(reader.view.around).toBe(100);
  });

  it('keeps what it holds when a reading fails, and tries again when asked', async () => {
    const { load } = logOf(5_000);
    let broken = false;
    const reader = new LogReader<Line>(async (stretch) => {
      if (broken) throw new Error('away');
      return load(stretch);
    });
    await reader.openAtEnd();
    broken = true;
    await reader.readBefore();
    expect(reader.view.error).toBeInstanceOf(Error);
    expect(reader.view.window.lines).toHaveLength(1_000);
    broken = false;
    await reader.readBefore();
    expect(reader.view.error).toBeNull();
    expect(reader.view.window.lines).toHaveLength(2_000);
  });
});

function row(id: string, facts: Partial<TaskRunRow> = {}): TaskRunRow {
  return {
    id,
    runId: 'r',
    name: 'load',
    key: id,
    displayName: null,
    index: null,
    state: { type: 'PENDING', name: 'Pending', message: null },
    attempt: 0,
    startedAt: null,
    endedAt: null,
    dueAt: null,
    dependsOn: null,
    progress: null,
    metrics: null,
    error: null,
    childRunId: null,
    callArgs: null,
    ...facts,
  };
}

function event(id: string, type: TaskEvent['state']['type'], name: TaskEvent['state']['name'], at: number, attempt = 1): TaskEvent {
  return { runId: 'r', id, name: 'load', index: null, state: { type, name, message: null }, attempt, at: new Date(at).toISOString() };
}

describe('the list of task runs', () => {
  it('reads all pages, and from the last one when it is read on', async () => {
    const all = Array.from({ length: 25 }, (_, at) => row(`t${at}`));
    const asked: (string | null)[] = [];
    const list = new TaskRunList(
      async (cursor) => {
        asked.push(cursor);
        const from = Number(cursor ?? 0);
        return { items: all.slice(from, from + 10), next: from + 10 < all.length ? String(from + 10) : null };
      },
      () => undefined,
    );
    await list.load('start');
    expect(list.view).toMatchObject({ complete: true, cut: false });
    expect(list.view.rows).toHaveLength(25);
    all.push(row('new'));
    await list.load('tail');
    expect(list.view.rows.at(-1)?.id).toBe('new');
    expect(asked).toEqual([null, '10', '20', '20']);
  });

  it('changes rows in place by events, and says when they have to be read again', async () => {
    const list = new TaskRunList(
      async () => ({ items: [row('a')], next: null }),
      () => undefined,
    );
    await list.load('start');
    expect(list.apply([event('a', 'RUNNING', 'Running', 1_000)])).toBe(false);
    expect(list.view.rows[0]).toMatchObject({ state: { name: 'Running' }, startedAt: 1_000, endedAt: null });
    expect(list.apply([event('a', 'COMPLETED', 'Completed', 2_000)])).toBe(true);
    expect(list.view.rows[0]).toMatchObject({ endedAt: 2_000 });
    expect(list.apply([event('b', 'RUNNING', 'Running', 3_000)])).toBe(true);
    expect(list.view.rows.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('does not go back to an earlier attempt', async () => {
    const list = new TaskRunList(
      async () => ({ items: [row('a', { attempt: 2, state: { type: 'RUNNING', name: 'Running', message: null } })], next: null }),
      () => undefined,
    );
    await list.load('start');
    list.apply([event('a', 'FAILED', 'Failed', 1_000, 1)]);
    expect(list.view.rows[0]?.state.name).toBe('Running');
  });

  it('holds so many and no more', async () => {
    const list = new TaskRunList(
      async (cursor) => {
        const from = Number(cursor ?? 0);
        return { items: Array.from({ length: 1_000 }, (_, at) => row(`t${from + at}`)), next: String(from + 1_000) };
      },
      () => undefined,
    );
    await list.load('start');
    expect(list.view).toMatchObject({ complete: true, cut: true });
    list.apply([event('more', 'RUNNING', 'Running', 1)]);
    expect(list.view.rows).toHaveLength(mostRows);
  });

  it('tells of an error and reads on later', async () => {
    let broken = true;
    const list = new TaskRunList(
      async () => {
        if (broken) throw new Error('away');
        return { items: [row('a')], next: null };
      },
      () => undefined,
    );
    await list.load('start');
    expect(list.view.error).toBeInstanceOf(Error);
    broken = false;
    await list.load('start');
    expect(list.view).toMatchObject({ complete: true, error: null });
  });
});
