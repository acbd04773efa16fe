/** What reporters may write and what not, over both makers. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { RanBy, ReportedRun, ReporterCard, ReportItem } from '../../../src/model/report.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { BatchOutcome, ReportBatch, Store } from '../../../src/store/store.ts';
import { fireAll, putTriggered, schedulerOf } from '../../support/triggers.ts';
import { makers, type Place } from './makers.ts';
import { endRun, leaseMs, newRun, ownerNamed, startRun } from './rows.ts';

const ranBy: RanBy = { name: 'edge', version: '1', host: 'here', pid: 7 };
const note = { waitingItems: 0, waitingBytes: 0, dropped: 0, isStopping: false };

function cardOf(changes: Partial<ReporterCard> = {}): ReporterCard {
  const own = { id: randomUUID(), secret: `rs_${randomUUID()}${randomUUID()}`, confirmed: 0, sent: 1_000, previous: null, token: null };
  const nextToken = `rt_${randomUUID()}`;
  return { ...ranBy, batuta: '1.0.0', startedAt: 1, ...own, nextToken, ...changes };
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
    { id, secret, nextToken: token }: ReporterCard,
    items: readonly ReportItem[],
    changes: Partial<ReportBatch> = {},
  ): Promise<BatchOutcome> {
    return await store.reports.apply({ reporterId: id, secret, token, after: 0, items, refused: [], note, ...changes });
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

  test('of a store and its copy the one that registers first goes on, also under another version; the other is refused until it has an id of its own', async () => {
    const card = cardOf();
    await store.reports.register(card);
    const runId = randomUUID();
    await send(card, [item(7, 'run', reportedRun(runId))]);
    const again = (nextToken: string): ReporterCard => ({ ...card, confirmed: 7, token: card.nextToken, nextToken });
    expect(await store.reports.register(again('rt_original'))).toMatchObject({ last: 7 });
    // The answer was lost.
    expect(await store.reports.register(again('rt_original'))).toMatchObject({ last: 7 });
    expect(await store.reports.register(again('rt_copy'))).toBeNull();
    expect(await send(card, [item(8, 'log', line(runId, 1))])).toMatchObject({ ok: false, reason: 'unknown' });
    // The store as it was before it sent that: under the same numbers it sends something else.
    expect(await store.reports.register({ ...again('rt_restored'), token: 'rt_original', confirmed: 5, sent: 6 })).toBeNull();
    const previous = { id: card.id, secret: card.secret };
    const upgraded = cardOf({ version: '2', previous, token: 'rt_original' });
    expect(await store.reports.register(upgraded)).toEqual({ last: 7, isNew: false });
    const twin = cardOf({ version: '2', previous, token: 'rt_original' });
    expect(await store.reports.register(twin)).toEqual({ last: 0, isNew: true });
    expect(await store.runs.get(runId)).toMatchObject({ owner: { reporter: { id: upgraded.id } } });
    // Its answer was lost, and its version has changed once more.
    const third = cardOf({ version: '3', previous, token: 'rt_original', nextToken: upgraded.nextToken });
    expect(await store.reports.register(third)).toEqual({ last: 7, isNew: false });
    expect(await send(upgraded, [])).toMatchObject({ ok: false, reason: 'replaced' });
    // This database is an older one, which cannot know the token.
    expect(await store.reports.register({ ...third, confirmed: 8, token: 'rt_later', nextToken: 'rt_latest' })).toMatchObject({ last: 7 });
  });

  test('a progress goes on, within a batch and after it; no other artifact changes, nor one of another run', async () => {
    const card = cardOf();
    await store.reports.register(card);
    const [runId, otherId] = [randomUUID(), randomUUID()];
    const artifact = (id: string, kind: 'progress' | 'json', data: unknown, of = runId): ReportItem['data'] => ({
      ...{ id, kind, data, runId: of, taskRunId: null, name: id, createdAt: 5 },
    });
    await send(card, [
      item(1, 'run', reportedRun(runId)),
      item(2, 'run', reportedRun(otherId)),
      item(3, 'artifact', artifact('bar', 'progress', 1)),
      item(4, 'artifact', artifact('bar', 'progress', 2)),
      item(5, 'artifact', artifact('text', 'json', 'first')),
      item(6, 'artifact', artifact('text', 'json', 'second')),
      item(7, 'artifact', artifact('bar', 'progress', 3, otherId)),
    ]);
    const seen = async (): Promise<unknown> => (await store.artifacts.ofRun(runId)).map(({ id, data }) => [id, data]).sort();
    expect(await seen()).toEqual([
      ['bar', 2],
      ['text', 'first'],
    ]);
    await send(card, [
      item(8, 'artifact', artifact('bar', 'progress', 4)),
      item(9, 'artifact', artifact('text', 'progress', 5)),
      item(10, 'artifact', artifact('bar', 'json', 6)),
    ]);
    expect(await seen()).toEqual([
      ['bar', 4],
      ['text', 'first'],
    ]);
  });

  test('a reported run starts nothing here as it ends, and is work of no queue', async () => {
    const [card, scheduler] = [cardOf(), schedulerOf(store)];
    await store.reports.register(card);
    await putTriggered(store, 'after', 'ended:flow:flight-delays');
    const [open, over] = [randomUUID(), randomUUID()];
    const ends = { ...(change(over, 1) as object), type: 'COMPLETED', name: 'Completed' } as ReportItem['data'];
    await send(card, [
      item(1, 'run', reportedRun(open, { createdAt: systemClock.now() })),
      item(2, 'run', reportedRun(over, { state: stateOf('COMPLETED'), endedAt: systemClock.now() })),
      item(3, 'transition', ends),
    ]);
    expect(await store.figures.queues()).toEqual([]);
    expect(await fireAll(scheduler)).toEqual([]);
    await endRun(store, await startRun(store, { flow: 'flight-delays' }));
    expect(await fireAll(scheduler)).toHaveLength(1);
  });

  test('a reporter that had things confirmed by a database that is gone hears that none of it is here, until it has sent it again', async () => {
    const card = cardOf({ confirmed: 40 });
    expect(await store.reports.register(card)).toEqual({ last: 0, isNew: true });
    expect(await store.reports.register(card)).toEqual({ last: 0, isNew: false });
    const runId = randomUUID();
    expect(await send(card, [item(41, 'run', reportedRun(runId))])).toMatchObject({ ok: true, last: 41 });
    expect(await store.reports.register(card)).toEqual({ last: 41, isNew: false });
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
    const { id, secret, nextToken: token } = card;
    const next = cardOf({ version: '2', previous: { id, secret }, token, confirmed: 7 });
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
