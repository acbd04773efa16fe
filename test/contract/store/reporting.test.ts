/** What reporters may write and what not, over both makers. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RanBy, ReportedRun, ReporterCard, ReportItem } from '../../../src/model/report.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { BatchOutcome, ReportBatch, Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { leaseMs, newRun, ownerNamed } from './rows.ts';

const ranBy: RanBy = { name: 'edge', version: '1', host: 'here', pid: 7 };
const note = { waitingItems: 0, waitingBytes: 0, dropped: 0, isStopping: false };

function cardOf(changes: Partial<ReporterCard> = {}): ReporterCard {
  const own = { id: randomUUID(), secret: `rs_${randomUUID()}${randomUUID()}`, confirmed: 0, previous: null };
  return { ...ranBy, batuta: '1.0.0', startedAt: 1, ...own, ...changes };
}

function reportedRun(id: string, changes: Partial<ReportedRun> = {}): ReportedRun {
  const { deployment: _deployment, source: _source, ...run } = newRun({ id, state: stateOf('RUNNING') });
  const late = { result: null, error: null, recoveries: 0, startedAt: 5, endedAt: null, executedMs: null, resumedAt: null, mapped: null };
  return { ...run, ...late, keptBytes: null, queue: 'default', priority: 0, ranBy, ...changes };
}

const change = (runId: string, number: number): ReportItem['data'] => ({
  runId,
  taskRunId: null,
  number,
  at: number,
  type: 'RUNNING',
  name: 'Running',
  message: `n${number}`,
  attempt: 1,
  owner: null,
});
const line = (runId: string, number: number): ReportItem['data'] => ({
  runId,
  taskRunId: null,
  number,
  at: number,
  level: 30,
  message: `line ${number}`,
  fields: null,
});
const item = (seq: number, kind: ReportItem['kind'], data: ReportItem['data']): ReportItem => ({ seq, kind, data }) as ReportItem;

describe.each(makers)('reports to $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function send(
    { id, secret }: ReporterCard,
    items: readonly ReportItem[],
    changes: Partial<ReportBatch> = {},
  ): Promise<BatchOutcome> {
    return await store.reports.apply({ reporterId: id, secret, after: 0, items, refused: [], note, ...changes });
  }

  async function historyOf(runId: string): Promise<readonly (string | null)[]> {
    const [changes, lines] = await Promise.all([store.transitions.ofRun(runId), store.logs.ofRun(runId)]);
    return [...changes.map(({ message }) => message), ...lines.map(({ message }) => message)];
  }

  test('a batch that comes again, whole, in part or overlapping, from two at once, is taken once and in order', async () => {
    const card = cardOf();
    await store.reports.register(card);
    const runId = randomUUID();
    const items = [
      item(1, 'run', reportedRun(runId)),
      item(2, 'transition', change(runId, 1)),
      item(5, 'log', line(runId, 1)),
      item(6, 'transition', change(runId, 2)),
      item(9, 'log', line(runId, 4)),
    ];
    await Promise.all([send(card, items.slice(0, 3)), send(card, items), send(card, items), send(card, items.slice(0, 4))]);
    expect(await send(card, items.slice(1))).toMatchObject({ ok: true, last: 9, refused: [] });
    expect(await historyOf(runId)).toEqual(['n1', 'n2', 'line 1', 'line 4']);
    // Under other numbers, as after a restore: what it has of the run is passed over.
    expect(
      await send(card, [item(20, 'run', reportedRun(runId)), item(21, 'transition', change(runId, 2)), item(22, 'log', line(runId, 5))]),
    ).toMatchObject({ ok: true, last: 22 });
    expect(await historyOf(runId)).toEqual(['n1', 'n2', 'line 1', 'line 4', 'line 5']);
    // What was said before is not said again: nothing of it is looked at, so nothing of it is refused.
    await send(card, [item(30, 'run', reportedRun(runId, { attempt: 2 }))]);
    expect(await send(card, items)).toMatchObject({ ok: true, last: 30, refused: [] });
    expect(await send(card, [], { after: 31 })).toEqual({ ok: false, reason: 'gap', last: 30 });
    expect(await send({ ...card, secret: 'rs_another' }, [])).toMatchObject({ ok: false, reason: 'unknown' });
  });

  test('what is about runs of somebody else, or cannot be, is refused by itself and changes nothing', async () => {
    const [card, other] = [cardOf(), cardOf()];
    await store.reports.register(card);
    await store.reports.register(other);
    const own = newRun({ state: stateOf('RUNNING') });
    await store.recorder.addRun(own, ownerNamed('worker'), leaseMs);
    const [theirs, mine, ended] = [randomUUID(), randomUUID(), { state: stateOf('COMPLETED'), endedAt: 9 }];
    await send(other, [item(1, 'run', reportedRun(theirs)), item(2, 'transition', change(theirs, 1))]);
    const before = [await store.runs.get(own.id), await store.runs.get(theirs), await historyOf(theirs)];
    const outcome = await send(card, [
      item(1, 'run', reportedRun(own.id, ended)),
      item(2, 'log', line(own.id, 1)),
      item(3, 'run', reportedRun(theirs, ended)),
      item(4, 'transition', change(theirs, 2)),
      item(5, 'log', line(randomUUID(), 1)),
      item(6, 'run', reportedRun(mine, { ...ended, parentRunId: own.id, parentTaskRunId: 'x' })),
      item(7, 'run', reportedRun(mine)),
      item(8, 'log', line(mine, 1)),
    ]);
    expect(outcome.ok && outcome.refused.map(({ seq, reason }) => `${seq} ${reason}`)).toEqual([
      '1 foreign',
      '2 foreign',
      '3 foreign',
      '4 foreign',
      '5 unknown-run',
      '7 state',
    ]);
    expect([await store.runs.get(own.id), await store.runs.get(theirs), await historyOf(theirs)]).toEqual(before);
    expect(await store.runs.get(mine)).toMatchObject({ state: { type: 'COMPLETED' }, parentRunId: null });
    expect(await historyOf(mine)).toEqual(['line 1']);
    // A new attempt opens it again.
    expect(await send(card, [item(9, 'run', reportedRun(mine, { attempt: 2 }))])).toMatchObject({ refused: [] });
    expect(await store.runs.get(mine)).toMatchObject({ state: { type: 'RUNNING' }, attempt: 2 });
  });

  test('a run that was deleted here does not come back', async () => {
    const card = cardOf();
    await store.reports.register(card);
    const runId = randomUUID();
    await send(card, [item(1, 'run', reportedRun(runId, { state: stateOf('COMPLETED'), endedAt: 9 }))]);
    expect(await store.runs.delete(runId)).toBe(true);
    expect(await send(card, [item(2, 'run', reportedRun(runId, { attempt: 2 })), item(3, 'log', line(runId, 1))])).toMatchObject({
      refused: [],
    });
    expect([await store.runs.get(runId), await store.logs.ofRun(runId)]).toEqual([null, []]);
  });

  test('a new version goes on where the one before stood and has its runs; that one is refused from then on', async () => {
    const card = cardOf();
    await store.reports.register(card);
    const runId = randomUUID();
    await send(card, [item(7, 'run', reportedRun(runId)), item(8, 'transition', change(runId, 1))]);
    const { id, secret } = card;
    const next = cardOf({ version: '2', previous: { id, secret }, confirmed: 7 });
    expect(await store.reports.register(next)).toEqual({ last: 8, isNew: false });
    expect(await store.reports.register(next)).toEqual({ last: 8, isNew: false });
    expect(await store.reports.register({ ...next, secret: card.secret })).toBeNull();
    expect(await send(card, [item(9, 'transition', change(runId, 2))])).toMatchObject({ ok: false, reason: 'replaced' });
    expect(await store.runs.get(runId)).toMatchObject({ owner: { reporter: { id: next.id, version: '2' } } });
    expect(
      await send(next, [item(8, 'transition', change(runId, 1)), item(9, 'transition', change(runId, 2))], { after: 8 }),
    ).toMatchObject({ ok: true });
    expect(await historyOf(runId)).toEqual(['n1', 'n2']);
    expect((await store.reports.list()).map(({ version, replacedBy, openRuns }) => [version, replacedBy, openRuns])).toEqual(
      expect.arrayContaining([
        ['1', next.id, 0],
        ['2', null, 1],
      ]),
    );
  });
});
