/**
 * Errors of runs, grouped by kind. Nothing is written as runs fail: the key of a failure comes first in its JSON, and the index of
 * migration 14 holds it by flow and time, so a list costs as much as runs have failed.
 */
import type { ErrorGroup, ErrorState } from '../../model/error-group.ts';
import type { Connection, Database } from '../connection.ts';
import { beforeKey, failureKeyOf, keyChars } from '../figures/alike.ts';
import { limitOf, pageOf, placeOf } from '../lists/cursor.ts';
import { readFailure } from '../read-failure.ts';
import { clockOf, Params, runsBy } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { ErrorFilter, ErrorGroupStore } from './contract.ts';

interface GroupRow {
  readonly flow: string;
  readonly key: string;
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly mark: ErrorState | null;
  readonly marked_at: number | null;
  readonly who: string | null;
}

/** How the error of a run that failed like others begins: its key, after its prefix. */
const begins = failureKeyOf('error');
const keyed = `error is not null and ${begins} like '${beforeKey}%' and ended_at is not null`;

/** See `ErrorGroupStore`. */
export function errorGroupStore(connection: Connection): ErrorGroupStore {
  const { query } = connection;
  return {
    async list({ flow, state = 'open', since, limit: wanted, cursor } = {}) {
      const limit = limitOf(wanted, 50, 1_000);
      const rows = await groupsOf(connection, { flow, state, since, limit, cursor });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        ({ last_at: createdAt, key, flow: name }) => ({ createdAt, id: `${key} ${name}` }),
      );
      return { items: await withSamples(connection, page.items), next: page.next };
    },
    async find(key, flow) {
      return await withSamples(connection, await groupsOf(connection, { flow, key, state: 'all', limit: 100 }));
    },
    async mark(flow, key, state, who) {
      if (state === 'open') await query('delete from error_marks where flow = $1 and key = $2', [flow, key]);
      else
        await query(
          `insert into error_marks (flow, key, state, at, who) values ($1, $2, $3, $4, $5)
           on conflict (flow, key) do update set state = excluded.state, at = excluded.at, who = excluded.who`,
          [flow, key, state, await clockOf(connection), who],
        );
    },
    async prune() {
      await query(
        `delete from error_marks where not exists (
           select 1 from ${runsBy(connection, 'runs_failure')} where runs.flow = error_marks.flow and runs.error is not null
             and ${failureKeyOf('runs.error')} = '${beforeKey}' || error_marks.key)`,
      );
    },
  };
}

interface GroupWish extends Pick<ErrorFilter, 'state'> {
  readonly flow?: string | undefined;
  readonly key?: string;
  readonly since?: number | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

async function groupsOf(connection: Connection, { flow, key, state, since, limit, cursor }: GroupWish): Promise<readonly GroupRow[]> {
  const params = new Params();
  const inner = [keyed];
  if (flow !== undefined) inner.push(`flow = ${params.add(flow)}`);
  if (key !== undefined) inner.push(`${begins} = ${params.add(`${beforeKey}${key}`)}`);
  const outer = ['true'];
  if (since !== undefined) outer.push(`grouped.last_at >= ${params.add(since)}`);
  const isIgnored = `coalesce(marks.state, 'open') = 'ignored'`;
  const isResolved = `coalesce(marks.state, 'open') = 'resolved' and grouped.last_at <= marks.at`;
  if (state === 'open') outer.push(`not (${isIgnored})`, `not (${isResolved})`);
  if (state === 'ignored') outer.push(isIgnored);
  if (state === 'resolved') outer.push(isResolved);
  if (cursor !== undefined) {
    const { createdAt, id } = placeOf(cursor);
    outer.push(`(grouped.last_at, grouped.key || ' ' || grouped.flow) < (${params.add(createdAt)}, ${params.add(id)})`);
  }
  const rows = await connection.query<GroupRow>(
    `select grouped.flow as flow, grouped.key as key, grouped.count as count, grouped.first_at as first_at, grouped.last_at as last_at,
       marks.state as mark, marks.at as marked_at, marks.who as who
     from (
       select flow, substr(${begins}, ${beforeKey.length + 1}, ${keyChars}) as key, count(*) as count, min(ended_at) as first_at, max(ended_at) as last_at
       from ${runsBy(connection, 'runs_failure')} where ${inner.join(' and ')} group by flow, ${begins}
     ) as grouped left join error_marks as marks on marks.flow = grouped.flow and marks.key = grouped.key
     where ${outer.join(' and ')} order by grouped.last_at desc, grouped.key || ' ' || grouped.flow desc limit ${limit + 1}`,
    params.values,
  );
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** With samples from their last runs. */
async function withSamples(db: Database & Connection, rows: readonly GroupRow[]): Promise<ErrorGroup[]> {
  if (rows.length === 0) return [];
  const samples = await db.query<{ flow: string; key: string; id: string; error: string }>(
    `select listed.flow as flow, listed.key as key, runs.id as id, runs.error as error
     from ${db.fragments.list(1, { flow: 'text', key: 'text', at: 'time' })} as listed
     join ${runsBy(db, 'runs_failure')} on runs.flow = listed.flow and ${failureKeyOf('runs.error')} = '${beforeKey}' || listed.key
       and runs.ended_at = listed.at and runs.error is not null`,
    [jsonText(rows.map(({ flow, key, last_at: at }) => [flow, key, at]))],
  );
  const last = new Map(samples.map((row) => [`${row.key} ${row.flow}`, row]));
  return rows.flatMap((row) => {
    const sample = last.get(`${row.key} ${row.flow}`);
    // Deleted between the two statements.
    return sample === undefined ? [] : [groupOf(row, sample)];
  });
}

function groupOf(row: GroupRow, sample: { readonly id: string; readonly error: string }): ErrorGroup {
  const failure = readFailure(sample.error);
  const came = row.mark === 'resolved' && row.marked_at !== null && row.last_at > row.marked_at;
  const state = row.mark === null || came ? 'open' : row.mark;
  return {
    ...{ flow: row.flow, key: row.key, state, isReopened: came },
    ...{
      name: failure?.name ?? 'Error',
      message: failure?.message ?? '',
      task: failure?.origin?.task ?? null,
      frame: failure?.origin?.frame ?? null,
    },
    ...{ count: row.count, firstAt: Number(row.first_at), lastAt: Number(row.last_at), lastRunId: sample.id },
    ...{ markedAt: row.marked_at, markedBy: row.who },
  };
}
