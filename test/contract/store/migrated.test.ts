/** A store of before, brought up to date, over both makers. */
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { migrate, newest } from '../../../src/store/migrations/migrate.ts';
import { migrations } from '../../../src/store/migrations/migrations.ts';
import { openPostgres } from '../../../src/store/postgres/connection.ts';
import { openSqlite } from '../../../src/store/sqlite/connection.ts';
import { makers } from './makers.ts';

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

async function connect(name: 'sqlite' | 'postgres'): Promise<Connection> {
  const here = await makers.find((maker) => maker.name === name)?.makePlace();
  const connection =
    name === 'sqlite'
      ? await openSqlite(':memory:', { clock: systemClock, busyTimeoutMs: 1_000 })
      : await openPostgres(here?.url ?? '', { reconnectTimeoutMs: 1_000, connections: 3 });
  close = async () => {
    await connection.close();
    await here?.remove();
  };
  return connection;
}

/** A store whose schema is the one before that migration. */
async function connectBefore(name: 'sqlite' | 'postgres', before: number): Promise<Connection> {
  const connection = await connect(name);
  const { query, dialect, fragments } = connection;
  await query('create table batuta_schema (version integer not null)');
  for (const { number, statements } of migrations.filter((one) => one.number < before)) {
    for (const statement of statements(dialect, fragments)) await query(statement);
    await query(number === 1 ? 'insert into batuta_schema (version) values ($1)' : 'update batuta_schema set version = $1', [number]);
  }
  return connection;
}

test('the number of the last migration is known without loading any', () => {
  expect(Math.max(...migrations.map(({ number }) => number))).toBe(newest);
});

const stateOf = {
  AwaitingRetry: 'SCHEDULED',
  Running: 'RUNNING',
  Scheduled: 'SCHEDULED',
  Failed: 'FAILED',
  Completed: 'COMPLETED',
} as const;

test.each(makers.map(({ name }) => name))('failures of task runs under way are counted in their history on %s', async (name) => {
  const connection = await connectBefore(name, 15);
  const { query, dialect } = connection;
  const histories: Record<string, [run: string, ...(keyof typeof stateOf)[]]> = {
    twice: ['open', 'Running', 'AwaitingRetry', 'Running', 'AwaitingRetry'],
    opened: ['open', 'Running', 'AwaitingRetry', 'Running', 'Failed', 'Scheduled', 'Running', 'AwaitingRetry', 'Running'],
    never: ['open', 'Running'],
    ended: ['over', 'Running', 'AwaitingRetry', 'Running', 'Completed'],
  };
  for (const [id, type] of [
    ['open', 'RUNNING'],
    ['over', 'COMPLETED'],
  ] as const)
    await query(
      `insert into runs (id, flow, flow_version, name, state_type, state_name, attempt, recoveries, epoch, created_at, tags, params)
       values ($1, 'f', '1', 'r', $2, 'Any', 1, 0, 1, 1, '[]', '{}')`,
      [id, type],
    );
  let seq = 0;
  for (const [key, [run, ...states]] of Object.entries(histories)) {
    const last = states.at(-1) ?? 'Running';
    await query('insert into task_runs (id, run_id, key, name, state_type, state_name, attempt) values ($1, $2, $1, $1, $3, $4, 1)', [
      key,
      run,
      stateOf[last],
      last,
    ]);
    for (const state of states) {
      const [column, place] = dialect === 'sqlite' ? [', seq', `, ${++seq}`] : ['', ''];
      await query(`insert into transitions (run_id, task_run_id, at, type, name, attempt${column}) values ($1, $2, 1, $3, $4, 1${place})`, [
        run,
        key,
        stateOf[state],
        state,
      ]);
    }
  }
  await migrate(connection);
  const rows = await query<{ key: string; failures: number | null }>('select key, failures from task_runs');
  expect(Object.fromEntries(rows.map(({ key, failures }) => [key, failures]))).toEqual({ twice: 2, opened: 1, never: null, ended: null });
});

test.each(makers.map(({ name }) => name))('runs and spread tasks on trial are still on trial on %s', async (name) => {
  const connection = await connectBefore(name, 20);
  const { query } = connection;
  for (const id of ['free', 'tried'])
    await query(
      `insert into runs (id, flow, flow_version, name, state_type, state_name, attempt, recoveries, epoch, created_at, tags, params)
       values ($1, 'f', '1', 'r', 'SCHEDULED', 'Scheduled', 1, 0, 1, 1, '[]', '{}')`,
      [id],
    );
  for (const id of ['freed task', 'tried task'])
    await query(
      `insert into spread_tasks (id, run_id, key, stage, queue, priority, epoch, recoveries, inputs)
       values ($1, 'free', $1, 'waiting', 'default', 0, 1, 0, '[]')`,
      [id],
    );
  for (const [id, isOnTrial] of Object.entries({ free: 0, tried: 1, 'freed task': 0, 'tried task': 1 }))
    await query(`insert into suspects (id, run_id, shared, alone, on_trial, last_owner) values ($1, 'free', 2, 0, $2, 'p')`, [
      id,
      isOnTrial,
    ]);
  await migrate(connection);
  expect(await query('select id from runs where on_trial = 1')).toEqual([{ id: 'tried' }]);
  expect(await query('select id from spread_tasks where on_trial = 1')).toEqual([{ id: 'tried task' }]);
});
