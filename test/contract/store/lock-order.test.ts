/** PostgreSQL: whatever locks several rows does so in one order, so that no two wait for each other in a circle. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store, TaskClaim } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { emit, fireAll, putTriggered, schedulerOf } from '../../support/triggers.ts';
import { until } from '../../support/room.ts';
import { leaseMs, newRun, ownerNamed, startRun, taskRun } from './rows.ts';

const worker = ownerNamed('worker');
const postgres = makers.find(({ name }) => name === 'postgres');

describe('locks of several rows', () => {
  let here: Place;
  let store: Store;
  let holder: pg.Client;
  let asker: pg.Client;
  beforeEach(async () => {
    if (!postgres) throw new Error('There is no PostgreSQL.');
    here = await postgres.makePlace();
    store = await here.open();
    [holder, asker] = [new pg.Client({ connectionString: here.url }), new pg.Client({ connectionString: here.url })];
    await Promise.all([holder.connect(), asker.connect()]);
  });
  afterEach(async () => {
    await Promise.all([holder.end(), asker.end()]);
    await here.remove();
  });

  /** While somebody else has the first of these rows, whoever wants all has none of the others either. */
  async function expectInOrder(
    table: 'runs' | 'spread_tasks' | 'task_runs',
    ids: readonly string[],
    work: () => Promise<unknown>,
  ): Promise<void> {
    await holder.query('begin');
    await holder.query(`select id from ${table === 'task_runs' ? 'runs' : table} where id = $1 for no key update`, [ids[0]]);
    const done = work();
    await untilOneWaits();
    const free = await asker.query(`select id from ${table} where id = any($1) for no key update skip locked`, [ids.slice(1)]);
    expect(free.rows).toHaveLength(ids.length - 1);
    await holder.query('commit');
    await done;
  }

  async function untilOneWaits(): Promise<void> {
    await until(async () => {
      const { rows } = await asker.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`,
      );
      return rows.length > 0;
    });
  }

  async function startRuns(count: number): Promise<Claim[]> {
    const claims: Claim[] = [];
    for (let at = 0; at < count; at++) claims.push(await startRun(store));
    return claims.toSorted((a, b) => (a.runId < b.runId ? -1 : 1));
  }

  async function holdTasks(count: number): Promise<{ readonly claim: Claim; readonly tasks: TaskClaim[] }> {
    const claim = await startRun(store);
    const rows = Array.from({ length: count }, (_, index) =>
      taskRun(claim.runId, `load[${index}]`, { state: stateOf('SCHEDULED'), index }),
    );
    await store.spread.offer(
      claim,
      rows.toReversed().map((row) => ({ taskRun: row, queue: 'default', priority: 0, inputs: '[]', inputsRef: null })),
    );
    const held = await store.spread.claimMany(
      rows.map(({ id }) => id),
      worker,
      leaseMs,
    );
    const tasks = [...held.values()].map((task) => task.claim);
    return { claim, tasks: tasks.toSorted((a, b) => (a.taskRunId < b.taskRunId ? -1 : 1)) };
  }

  test('runs that are renewed are locked in the order of their ids, in which every flush locks them', async () => {
    const claims = await startRuns(4);
    await expectInOrder(
      'runs',
      claims.map(({ runId }) => runId),
      () => store.runs.renew(claims.toReversed(), leaseMs),
    );
    expect(await store.runs.renew(claims.toReversed(), leaseMs)).toEqual([]);
  });

  test.each<readonly [string, (claim: Claim, tasks: readonly TaskClaim[]) => Promise<unknown>]>([
    ['renewed', (_, tasks) => store.spread.renew(tasks.toReversed(), leaseMs)],
    [
      'ended',
      (claim, tasks) => store.spread.end(claim, tasks.map(({ taskRunId }) => taskRunId).toReversed(), stateOf('CANCELLED'), 1, 'all'),
    ],
    ['ended with their run', ({ runId }) => store.runs.requestCancel(runId, 1, 'no more', () => true)],
  ])('spread tasks that are %s are locked in the order of their ids', async (_, work) => {
    const { claim, tasks } = await holdTasks(4);
    await expectInOrder(
      'spread_tasks',
      tasks.map(({ taskRunId }) => taskRunId),
      () => work(claim, tasks),
    );
  });

  test('runs that are brought forward under a rate, and those that called them, are locked in the order of their ids', async () => {
    const dueAt = Date.now() + 3_600_000;
    const parents = Array.from({ length: 3 }, () => newRun({ state: stateOf('PAUSED'), dueAt })).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    // Whoever called the first to be found is the last.
    const children = parents.toReversed().map(({ id }) => newRun({ state: stateOf('SCHEDULED'), dueAt, parentRunId: id }));
    // Nor do they lie in that order.
    for (const run of [...children, ...parents.toReversed()]) await store.fleet.insertMany([{ run, idempotencyKey: null }]);
    await store.rates.setTagRate('tag:api', { limit: 1, perMs: 3_600_000, key: null });
    const names = [{ name: 'tag:api', base: 'tag:api' }];
    for (const id of ['held', ...children.map((run) => run.id)])
      await store.rates.ask([{ holder: id, start: makeId(), runId: id, task: null, names, priority: 0 }], { withinMs: 1_000, aheadMs: 0 });
    await store.rates.setTagRate('tag:api', { limit: 10, perMs: 3_600_000, key: null });
    const ids = [...parents, ...children].map((run) => run.id).toSorted();
    await expectInOrder('runs', ids, () => store.rates.advance());
    expect((await store.runs.get(parents[0]?.id ?? ''))?.dueAt).toBeLessThan(dueAt);
  });

  test('a run that is deleted by force is locked before its tasks are, as by the owner that writes them', async () => {
    const claim = await startRun(store);
    const row = taskRun(claim.runId, 'load');
    await store.recorder.addTaskRun(claim, row, null);
    await expectInOrder('task_runs', [claim.runId, row.id], () => store.runs.delete(claim.runId, { force: true }));
    expect(await store.runs.get(claim.runId)).toBe(null);
  });

  test('a deployment with triggers that is deployed, resumed or deleted while a pass decides waits for it before it locks anything else', async () => {
    const changes = {
      deployed: () => putTriggered(store, 'deployed', 'event:c', { version: 2 }),
      resumed: () => store.deployments.resume('resumed', null, Date.now()),
      deleted: () => store.deployments.delete('deleted'),
    };
    for (const name of Object.keys(changes)) await putTriggered(store, name, { on: ['event:a', 'event:b'], within: '1 hour' });
    await emit(store, 'a');
    await fireAll(schedulerOf(store));
    for (const [name, change] of Object.entries(changes)) {
      await holder.query('begin');
      await holder.query(`select reader from end_places where reader = 'triggers' for no key update`);
      const done = change();
      await untilOneWaits();
      const free = await asker.query(
        `select name from deployments join triggers on deployment = name join trigger_groups on trigger_id = triggers.id
         where name = $1 for no key update skip locked`,
        [name],
      );
      expect([name, free.rows.length]).toEqual([name, 1]);
      await holder.query('commit');
      await done;
    }
    expect((await asker.query('select 1 from trigger_groups')).rows).toEqual([]);
  });

  test('processes that submit the same keys in opposite orders are all told the same runs', async () => {
    const other = await here.open();
    for (let round = 0; round < 20; round++) {
      const keys = Array.from({ length: 40 }, (_, at) => `round-${round}-${at}`);
      const rows = (order: readonly string[]) =>
        order.map((idempotencyKey) => ({ run: newRun({ state: stateOf('SCHEDULED') }), idempotencyKey }));
      const [first, second] = await Promise.all([store.fleet.insertMany(rows(keys)), other.fleet.insertMany(rows(keys.toReversed()))]);
      expect(second.map(({ id }) => id).toReversed()).toEqual(first.map(({ id }) => id));
    }
  });
});
