/** A database of the user's with a table of counters, for tests of transactions. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { openSqlDatabase, type SqlDatabase, type TestDialect } from './sql-databases.ts';

export interface Counters extends Pick<SqlDatabase, 'resource' | 'query'> {
  /** The statement that adds a counter: name, then value. */
  readonly add: string;
  /** By name. */
  counters(): Promise<readonly { readonly name: string; readonly value: number }[]>;
  /** What is recorded of a run, by the keys of its task runs. */
  effectsOf(runId: string): Promise<readonly { readonly task_key: string; readonly result: string; readonly committed_at: number }[]>;
}

/** For a `describe`: opens the database before its tests, empties it after each and drops it at their end. */
export function useCounters(dialect: TestDialect): Counters {
  let database: SqlDatabase;
  beforeAll(async () => {
    database = await openSqlDatabase(dialect);
    await database.query('create table counters (name varchar(50) primary key, value integer not null)');
  });
  afterEach(async () => {
    await database.query('delete from counters');
  });
  afterAll(() => database.drop());
  return {
    resource: (max) => database.resource(max),
    query: (text, values) => database.query(text, values),
    add: dialect === 'postgres' ? 'insert into counters values ($1, $2)' : 'insert into counters values (?, ?)',
    counters: () => database.query('select name, value from counters order by name'),
    effectsOf: (runId) =>
      database.query(`select task_key, result, committed_at from batuta_effects where run_id = '${runId}' order by task_key`),
  };
}
