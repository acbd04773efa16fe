/**
 * The floor under every durable engine on PostgreSQL: the same rows, written by hand with nothing around them.
 *
 * A flush is one prepared statement, and so one round trip and one commit, whose rows come in one JSON parameter.
 */
import pg from 'pg';

const flush = `
  with listed as materialized (
    select value ->> 0 as id, value ->> 1 as run_id, value ->> 2 as name, value ->> 3 as key, value ->> 4 as state, (value ->> 5)::int as attempt,
      (value ->> 6)::bigint as started_at, (value ->> 7)::bigint as ended_at, value ->> 8 as result
    from jsonb_array_elements($1::jsonb) as listed (value)),
  written as (
    insert into task_runs select * from listed on conflict (id) do update set state = excluded.state, ended_at = excluded.ended_at, result = excluded.result)
  insert into transitions (run_id, task_run_id, at, type, name, attempt)
    select run_id, id, started_at, 'RUNNING', 'Running', attempt from listed
    union all select run_id, id, ended_at, 'COMPLETED', state, attempt from listed`;

/**
 * Milliseconds that recording takes.
 *
 * @param {string} url of a database; what is written goes into a schema that is removed afterwards
 * @param {{ tasks: number, tasksPerFlush: number }} shape
 */
export async function recordBareOnPostgres(url, { tasks, tasksPerFlush }) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const schema = `bare_${process.hrtime.bigint()}`;
  try {
    await client.query(`
      create schema ${schema}; set search_path to ${schema}; set jit = off;
      create table task_runs (id text primary key, run_id text, name text, key text, state text, attempt int, started_at bigint, ended_at bigint, result text, unique (run_id, key));
      create table transitions (seq bigint generated always as identity primary key, run_id text, task_run_id text, at bigint, type text, name text, attempt int);
      create index transitions_run on transitions (run_id)`);
    const startedAt = performance.now();
    for (let from = 0; from < tasks; from += tasksPerFlush) {
      const rows = rowsFrom(from, Math.min(tasksPerFlush, tasks - from));
      await client.query({ name: 'flush', text: flush, values: [JSON.stringify(rows)] });
    }
    return performance.now() - startedAt;
  } finally {
    await client.query(`drop schema if exists ${schema} cascade`).catch(() => undefined);
    await client.end();
  }
}

function rowsFrom(from, count) {
  const now = Date.now();
  return Array.from({ length: count }, (_, offset) => {
    const at = from + offset;
    return [
      `0198c0de-0000-7000-8000-${String(at).padStart(12, '0')}`,
      'run',
      'touch',
      `touch[${at}]`,
      'Completed',
      1,
      now,
      now,
      String(at),
    ];
  });
}
