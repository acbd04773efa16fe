/** The inbox over both makers. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { until } from '../../support/room.ts';
import { leaseMs, newRun, owner } from './rows.ts';

describe.each(makers)('the inbox on $name', (maker) => {
  let here: Place;
  let store: Store;
  let run: ReturnType<typeof newRun>;
  const claim = () => ({ runId: run.id, epoch: 1, owner });
  const asked = (name = 'approve', number = 1) => ({
    ...{ id: `item-${name}-${number}`, runId: run.id, name, number, title: 'Pay "é😀"?', description: 'a\nb' },
    ...{ schema: { type: 'object' }, createdAt: 1_000 + number, dueAt: 5_000 },
  });
  const decision = (by: string, at = 2_000) => ({ value: `{"json":"${by}"}`, by, via: 'api', at }) as const;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
  });
  afterEach(() => here.remove());

  test('keeps what the owner of a run asks, once, and gives it with its run', async () => {
    await store.inbox.ask({ ...claim(), epoch: 2 }, asked());
    await store.inbox.ask({ ...claim(), owner: { ...owner, id: 'another' } }, asked());
    expect(await store.inbox.asked(run.id, 'approve', 1)).toBeNull();
    await store.inbox.ask(claim(), asked());
    await store.inbox.ask(claim(), { ...asked(), id: 'another', title: 'Other?' });
    expect(await store.inbox.get('item-approve-1')).toEqual({
      ...asked(),
      ...{ status: 'open', value: null, decidedBy: null, decidedVia: null, problem: null, decidedAt: null },
      ...{ flow: run.flow, runName: run.name },
    });
    expect(await store.inbox.get('another')).toBeNull();
  });

  test('takes the first of many decisions, and sends the run its answer once', async () => {
    await store.inbox.ask(claim(), asked());
    const other = await here.open();
    const names = Array.from({ length: 8 }, (_, at) => `person-${at}`);
    const outcomes = await Promise.all(names.map((by, at) => (at % 2 === 0 ? store : other).inbox.decide('item-approve-1', decision(by))));
    const counted = outcomes.filter((outcome) => outcome?.isDecided);
    expect(counted).toHaveLength(1);
    const by = counted[0]?.item.decidedBy;
    for (const outcome of outcomes) expect(outcome?.item).toMatchObject({ status: 'decided', decidedBy: by });
    expect(await store.signals.ofRun(run.id)).toMatchObject([{ name: 'inbox:approve', number: 1, data: `{"json":"${by}"}` }]);
    expect(await store.inbox.decide('nothing', decision('x'))).toBeNull();
  });

  test('takes no decision once its time is over, whoever notices first', async () => {
    await store.inbox.ask(claim(), asked());
    expect(await store.inbox.decide('item-approve-1', decision('late', 5_000))).toMatchObject({
      isDecided: false,
      item: { status: 'open' },
    });
    expect(await store.inbox.expire({ ...claim(), epoch: 2 }, 'approve', 1, 5_001)).toBe(false);
    expect(await store.inbox.expire(claim(), 'approve', 1, 5_001)).toBe(true);
    expect(await store.inbox.expire(claim(), 'approve', 1, 5_002)).toBe(false);
    expect(await store.inbox.decide('item-approve-1', decision('later', 4_000))).toMatchObject({
      isDecided: false,
      item: { status: 'expired' },
    });
    expect(await store.signals.ofRun(run.id)).toEqual([]);
    await store.inbox.ask(claim(), { ...asked(), dueAt: 9_000 });
    expect(await store.inbox.asked(run.id, 'approve', 1)).toMatchObject({ status: 'open', dueAt: 9_000 });
  });

  test('asks anew, with a new time, what an earlier wait has left open', async () => {
    await store.inbox.ask(claim(), asked());
    await store.inbox.decide('item-approve-1', decision('ada'));
    await store.inbox.refuse(claim(), 'approve', 1, 'too much');
    const anew = { ...asked(), id: 'another', title: 'Still?', createdAt: 6_000, dueAt: 9_000 };
    await store.inbox.ask({ ...claim(), epoch: 2 }, anew);
    expect(await store.inbox.get('item-approve-1')).toMatchObject({ ...asked(), problem: 'too much' });
    await store.inbox.ask(claim(), anew);
    expect(await store.inbox.get('item-approve-1')).toMatchObject({ ...anew, id: 'item-approve-1', status: 'open', problem: null });
    expect(await store.inbox.decide('item-approve-1', decision('bob', 7_000))).toMatchObject({ isDecided: true });
    await store.inbox.ask(claim(), { ...anew, createdAt: 8_000 });
    expect(await store.inbox.get('item-approve-1')).toMatchObject({ status: 'decided', decidedBy: 'bob', createdAt: 6_000 });
  });

  test('asks again where the flow refuses an answer that came by no decision', async () => {
    await store.inbox.ask(claim(), asked());
    await store.signals.send(run.id, 'inbox:approve', '{"json":1}', 2_000);
    await store.inbox.refuse(claim(), 'approve', 1, 'too much');
    expect([await store.inbox.asked(run.id, 'approve', 1), await store.signals.ofRun(run.id)]).toMatchObject([{ problem: 'too much' }, []]);
  });

  test('asks again where the flow refuses an answer', async () => {
    await store.inbox.ask(claim(), asked());
    await store.inbox.decide('item-approve-1', decision('ada'));
    await store.inbox.refuse(claim(), 'approve', 1, 'too much');
    expect(await store.inbox.asked(run.id, 'approve', 1)).toMatchObject({
      status: 'open',
      problem: 'too much',
      value: null,
      decidedBy: null,
    });
    expect(await store.signals.ofRun(run.id)).toEqual([]);
    expect(await store.inbox.decide('item-approve-1', decision('bob'))).toMatchObject({ isDecided: true, item: { problem: null } });
  });

  test('lists by status, flow and run, page by page, and counts as withdrawn what a run leaves behind', async () => {
    for (let number = 1; number <= 5; number++) await store.inbox.ask(claim(), asked('approve', number));
    await store.inbox.decide('item-approve-2', decision('ada'));
    await store.inbox.expire(claim(), 'approve', 3, 6_000);
    const numbers = async (filter: Parameters<Store['inbox']['list']>[0]) =>
      (await store.inbox.list(filter)).items.map(({ number }) => number);
    expect(await numbers({})).toEqual([5, 4, 1]);
    expect(await numbers({ status: 'decided' })).toEqual([2]);
    expect(await numbers({ status: 'all', runId: run.id, flow: run.flow })).toEqual([5, 4, 3, 2, 1]);
    expect(await numbers({ flow: 'other' })).toEqual([]);
    const first = await store.inbox.list({ status: 'all', limit: 2 });
    expect(first.items.map(({ number }) => number)).toEqual([5, 4]);
    expect(await numbers({ status: 'all', limit: 2, cursor: first.next ?? '' })).toEqual([3, 2]);
    await store.recorder.addRunPatch(claim(), { state: stateOf('COMPLETED'), endedAt: 4 }, null);
    expect(await numbers({})).toEqual([]);
    expect(await numbers({ status: 'withdrawn' })).toEqual([5, 4, 1]);
    expect(await store.inbox.decide('item-approve-1', decision('x'))).toMatchObject({ isDecided: false, item: { status: 'withdrawn' } });
    await store.runs.delete(run.id);
    expect(await numbers({ status: 'all' })).toEqual([]);
  });

  test('has a suspended run, and what it is a part of, go on', async () => {
    await store.inbox.ask(claim(), asked());
    await store.recorder.addRunPatch(claim(), { state: stateOf('PAUSED', 'Suspended') }, null);
    expect(await store.inbox.decide('item-approve-1', decision('ada'))).toMatchObject({ woken: [run.id] });
    expect(await store.runs.get(run.id)).toMatchObject({ state: { name: 'Resuming', message: `'Pay "é😀"?' was decided by ada.` } });
  });
});

test('a decision that comes while its time ends counts only where it is first, on PostgreSQL', async () => {
  const here = await makers.find(({ name }) => name === 'postgres')?.makePlace();
  if (!here) throw new Error('There is no PostgreSQL.');
  const [holder, asker] = [new pg.Client({ connectionString: here.url }), new pg.Client({ connectionString: here.url })];
  try {
    const store = await here.open();
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    const item = { id: 'item', runId: run.id, name: 'approve', number: 1, title: 'Pay?', description: null, schema: null };
    await store.inbox.ask({ runId: run.id, epoch: 1, owner }, { ...item, createdAt: 1_000, dueAt: 5_000 });
    await Promise.all([holder.connect(), asker.connect()]);
    await holder.query('begin');
    await holder.query(`update inbox set status = 'expired' where id = 'item'`);
    const outcome = store.inbox.decide('item', { value: '{"json":1}', by: 'ada', via: 'api', at: 2_000 });
    await until(async () => {
      const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`;
      return (await asker.query(waits)).rows.length > 0;
    });
    await holder.query('commit');
    expect(await outcome).toMatchObject({ isDecided: false, item: { status: 'expired', value: null }, woken: [] });
    expect(await store.signals.ofRun(run.id)).toEqual([]);
  } finally {
    await Promise.all([holder.end(), asker.end()]);
    await here.remove();
  }
});
