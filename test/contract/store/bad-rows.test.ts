/**
 * Rows that are in a store already and cannot be read: texts that are no JSON, and, on SQLite, bytes that are no UTF-8, which end a process
 * whose driver reads them. Whatever column of whatever table it is, all others are read, claimed, ticked, swept and deleted.
 */
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { nextTicks } from '../../../src/model/schedule/schedule.ts';
import { planTicks } from '../../../scheduler/plan-ticks.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { makers, place as placeAt } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, logLine, newRun, owner, ownerNamed, startedAt, taskRun, transitionOf } from './rows.ts';

/** Asks the database beside the store, as somebody else would. */
interface Beside {
  run(sql: string): Promise<readonly Record<string, unknown>[]>;
  end(): void;
}

/** What stands in the column; on PostgreSQL a text is always well formed. */
const values = { sqlite: [`cast(x'61ff62' as text)`, `'{'`, `x'00ff'`], postgres: [`'{'`] } as const;

/** Tables with the columns by which a row is found; those of tickets and figures hold nothing that people wrote. */
const tables = [
  'runs',
  'task_runs',
  'transitions',
  'logs',
  'artifacts',
  'flows',
  'deployments',
  'schedules',
  'deployment_versions',
  'backfills',
  'workers',
  'signals',
  'api_keys',
  'audit',
  'limits',
] as const;

describe.each(makers)('rows on $name that cannot be read', ({ name, makePlace }) => {
  let here: Place;
  let store: Store;
  let beside: Beside;
  let database: TestDatabase | null = null;

  beforeEach(async () => {
    if (name === 'postgres') {
      database = await createDatabase();
      const { url, drop, query } = database;
      here = placeAt(url, drop);
      beside = { run: (sql) => query<Record<string, unknown>>(sql), end: () => undefined };
    } else {
      here = await makePlace();
    }
    store = await here.open();
    if (name === 'sqlite') {
      const file = new Database(here.url.slice('sqlite:'.length));
      beside = {
        run: async (sql) =>
          /^(select|pragma)/.test(sql) ? (file.prepare(sql).all([]) as Record<string, unknown>[]) : (file.prepare(sql).run([]), []),
        end: () => file.close(),
      };
    }
  });
  afterEach(async () => {
    beside.end();
    await here.remove();
  });

  /** One of everything, under a name. */
  async function fill(mark: string): Promise<string> {
    const run = newRun({ id: makeId(), name: mark, tags: [mark], flow: mark, deployment: mark, concurrencyKey: `flow:${mark}` });
    const claim = { runId: run.id, epoch: 1 };
    const task = taskRun(run.id, mark, { dependsOn: ['a'], progress: { done: 1, total: 2 }, metrics: { rows: 1 } });
    const { recorder } = store;
    await recorder.addRun(run, ownerNamed(mark), leaseMs);
    await recorder.addTaskRun(claim, task, transitionOf(task));
    await recorder.addArtifact(claim, {
      id: makeId(),
      runId: run.id,
      taskRunId: null,
      kind: 'json',
      name: mark,
      data: { mark },
      createdAt: startedAt,
    });
    await recorder.addLog(logLine(run.id, mark, { fields: { mark } }));
    await store.signals.send(run.id, 'go', null, startedAt);
    await store.flows.put({
      name: mark,
      version: 'v1',
      description: null,
      tags: [mark],
      kind: 'code',
      graph: {},
      paramsSchema: {},
      source: null,
      concurrency: { limit: 1, key: null, onConflict: 'queue', byFunction: false },
      updatedAt: startedAt,
    });
    await store.deployments.put([
      {
        deployment: deploymentNamed(mark, { flow: mark, concurrency: { limit: 2, key: null, onConflict: 'queue' } }),
        schedules: [scheduleOf(mark, { nextTickAt: startedAt })],
        graph: {},
        spec: {},
      },
    ]);
    await store.backfills.insert({
      id: makeId(),
      deployment: mark,
      schedule: 'cron',
      rule: scheduleOf(mark).schedule,
      fromAt: 0,
      untilAt: 1,
      order: 'oldest',
      maxParallel: 1,
      total: 1,
      made: 0,
      place: 0,
      createdAt: startedAt,
      resumedAt: null,
      cancelRequestedAt: null,
      endedAt: null,
    });
    await store.workers.beat({
      id: mark,
      name: mark,
      version: '1',
      host: 'h',
      pid: 1,
      queues: ['default'],
      concurrency: 1,
      flows: { a: '1' },
      startedAt,
      running: 0,
      lagMs: 0,
    });
    await store.keys.insert(
      { id: makeId(), name: mark, role: 'viewer', createdAt: startedAt, expiresAt: null, revokedAt: null, lastUsedAt: null },
      makeId(),
    );
    await store.audit.add({ at: startedAt, keyId: null, who: mark, action: 'a', target: null, details: { mark } });
    await store.limits.setTagLimit(`tag:${mark}`, 1);
    return run.id;
  }

  /** Reads all that people and processes read, and gives what was found of the sound one. */
  async function readAll(ids: readonly string[], sound: string): Promise<void> {
    expect((await store.runs.list({})).items.map(({ id }) => id)).toContain(sound);
    expect((await store.runs.list({ tag: 'sound' })).items.map(({ id }) => id)).toContain(sound);
    for (const id of ids) {
      await store.runs.get(id);
      await store.taskRuns.ofRun(id);
      await store.transitions.ofRun(id);
      await store.logs.ofRun(id);
      await store.artifacts.ofRun(id);
      await store.signals.ofRun(id);
      await store.fleet.placeInLine(id);
    }
    await store.artifacts.list({});
    expect((await store.flows.list()).map((flow) => flow.name)).toContain('sound');
    const deployments = (await store.deployments.list({})).items;
    expect(deployments.map((one) => one.name)).toContain('sound');
    expect((await store.deployments.list({ tag: 'eu' })).items.map((one) => one.name)).toContain('sound');
    await store.deployments.presentVersions(['sound', 'spoilt']);
    await store.deployments.due({ limit: 10 });
    expect((await store.backfills.list({})).items.map((one) => one.deployment)).toContain('sound');
    expect((await store.backfills.open(10)).map((one) => one.deployment)).toContain('sound');
    expect((await store.workers.list()).map((worker) => worker.name)).toContain('sound');
    expect((await store.keys.list()).map((key) => key.name)).toContain('sound');
    expect((await store.audit.list({})).items.map(({ who }) => who)).toContain('sound');
    expect((await store.limits.tagLimits()).map((limit) => limit.name)).toContain('tag:sound');
    await store.limits.runLimits();
    await store.limits.tagLimitViews();
    await store.fleet.owners();
    await store.figures.taskCounts(ids);
    await store.figures.open();
    await store.events.runs(0, 100);
    await store.figures.rollUp();
  }

  test('whatever column it is, all lists are read', { timeout: 120_000 }, async () => {
    const spoilt = await fill('spoilt');
    const sound = await fill('sound');
    const unread: string[] = [];
    for (const table of tables) {
      const columns = (
        name === 'sqlite'
          ? (await beside.run(`pragma table_info(${table})`))
              .filter(({ type, pk }) => type === 'TEXT' && pk === 0)
              .map((row) => String(row['name']))
          : (
              await beside.run(
                `select column_name as name from information_schema.columns where table_name = '${table}' and data_type = 'text'`,
              )
            ).map((row) => String(row['name']))
      ).filter((column) => !['id', 'run_id', 'hash'].includes(column));
      const where = { runs: 'name', task_runs: 'key', transitions: 'owner', logs: 'message', deployments: 'name', flows: 'name' } as Record<
        string,
        string
      >;
      const [row] = await beside.run(`select count(*) as count from ${table}`);
      expect(Number(row?.['count'])).toBeGreaterThan(0);
      const mine =
        table === 'runs' ||
        table === 'task_runs' ||
        table === 'transitions' ||
        table === 'logs' ||
        table === 'artifacts' ||
        table === 'signals'
          ? `${table === 'runs' ? 'id' : 'run_id'} = '${spoilt}'`
          : `${where[table] ?? (table === 'workers' || table === 'limits' || table === 'api_keys' ? 'name' : table === 'audit' ? 'who' : 'deployment')} = '${table === 'limits' ? 'tag:' : ''}spoilt'`;
      for (const column of columns) {
        if (table === 'limits' || mine.startsWith(`${column} =`)) continue;
        const [before] = await beside.run(`select ${column} as value from ${table} where ${mine}`);
        for (const value of values[name]) {
          await beside.run(`update ${table} set ${column} = ${value} where ${mine}`);
          await readAll([spoilt, sound], sound).catch((error: unknown) => unread.push(`${table}.${column} = ${value}: ${String(error)}`));
        }
        const back = before?.['value'];
        await beside.run(
          `update ${table} set ${column} = ${typeof back === 'string' ? `'${back.replaceAll("'", "''")}'` : 'null'} where ${mine}`,
        );
      }
    }
    expect(unread).toEqual([]);
  });

  test('a schedule of it is set aside with its name and reason, the others tick on, and it ticks again once it is mended and resumed', async () => {
    for (const mark of ['sound', 'spoilt']) await fill(mark);
    await beside.run(`update schedules set schedule = '{' where deployment = 'spoilt'`);
    const claim = () =>
      store.ticks.claim({ limit: 10, lookAheadMs: 0, missedAfterMs: 60_000 }, (due, now, open) =>
        planTicks(due, now, now, open, { makeId, random: () => 0.5, lookAheadMs: 0, maxRuns: 100 }),
      );
    const report = await claim();
    expect(report.setAside).toMatchObject([{ deployment: 'spoilt', schedule: 'cron' }]);
    expect(report.waiting.length + report.dropped).toBeGreaterThan(0);
    expect((await store.deployments.get('spoilt'))?.schedules[0]).toMatchObject({ fault: report.setAside[0]?.fault, nextTickAt: null });
    expect((await store.deployments.get('sound'))?.schedules[0]?.nextTickAt).toBeGreaterThan(startedAt);
    await beside.run(
      `update schedules set schedule = (select schedule from schedules where deployment = 'sound') where deployment = 'spoilt'`,
    );
    await store.deployments.resume('spoilt', null, startedAt);
    const [mended] = (await store.deployments.get('spoilt'))?.schedules ?? [];
    expect(mended).not.toHaveProperty('fault');
    expect(mended?.nextTickAt).toBe(nextTicks(scheduleOf('x').schedule, startedAt, 1)[0]);
  });

  test('a schedule whose runs the database refuses is set aside, and those of the same transaction are made', async () => {
    for (const mark of ['sound', 'spoilt', 'third']) await fill(mark);
    const report = await store.ticks.claim({ limit: 10, lookAheadMs: 0, missedAfterMs: 60_000 }, (due) =>
      due.map(({ deployment, schedule }) => ({
        runs: [
          {
            run: newRun({
              state: stateOf('SCHEDULED'),
              deployment: deployment.name,
              scheduleId: schedule.id,
              scheduledFor: startedAt,
              ...(deployment.name === 'spoilt' ? { params: null as unknown as string } : {}),
            }),
            held: false,
          },
        ],
        nextTickAt: startedAt + 3_600_000,
      })),
    );
    expect(report.setAside).toMatchObject([{ deployment: 'spoilt', fault: expect.stringMatching(/null/i) }]);
    expect(report.waiting).toHaveLength(2);
    expect((await store.deployments.get('spoilt'))?.schedules[0]).toMatchObject({ nextTickAt: null, fault: report.setAside[0]?.fault });
  });

  test('are reclaimed, cancelled and deleted like the others', async () => {
    const spoilt = [await fill('spoilt'), await fill('spoilt2'), await fill('spoilt3')];
    const sound = await fill('sound');
    const bad = values[name][0];
    await beside.run(
      `update runs set owner = ${bad}, error = ${bad}, tags = ${bad}, concurrency_key = ${bad}, lease_until = 1 where name like 'spoilt%'`,
    );
    await beside.run(`update runs set lease_until = 1 where name = 'sound'`);
    const { waiting } = await store.fleet.reclaim({ limit: 100, maxRecoveries: 3, goneOwners: [] });
    expect(waiting.map(({ id }) => id).sort()).toEqual([...spoilt, sound].sort());
    const claimed = await store.fleet.claimMany([spoilt[0] ?? '', sound], owner, leaseMs);
    expect([...claimed.keys()].sort()).toEqual([spoilt[0], sound].sort());
    for (const id of [...spoilt, sound]) await store.runs.requestCancel(id, startedAt, 'Enough.', () => true);
    await beside.run(`update runs set state_type = 'CANCELLED', state_name = 'Cancelled', ended_at = ${startedAt}, owner = null`);
    expect((await store.prune(Date.now())).runs).toBe(4);
    expect((await store.runs.list({})).items).toEqual([]);
  });
});
