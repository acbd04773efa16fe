/** Reading runs: by id or its beginning, by filter, by parent. */
import type { ExpressionBuilder, SqlBool, Expression } from 'kysely';
import { sql } from 'kysely';
import { BatutaError } from '../base/errors.ts';
import type { Run } from '../model/run.ts';
import { stateNames, stateTypes } from '../model/state.ts';
import type { StateName, StateType } from '../model/state.ts';
import type { Connection } from './connection.ts';
import { cursorOf, limitOf, placeOf } from './cursor.ts';
import { runOf } from './rows.ts';
import type { Page, RunFilter } from './store.ts';
import { runColumns } from './tables.ts';
import type { Tables } from './tables.ts';

/** Shortest beginning of an id that is looked up. */
const minPrefixChars = 4;

/**
 * The run whose id begins so, or null.
 *
 * @throws BatutaError RUN_NOT_FOUND when several begin so.
 */
export async function findRun(connection: Connection, prefix: string): Promise<Run | null> {
  if (prefix.length < minPrefixChars) return null;
  const db = await connection.kysely();
  // Ids hold digits, letters a to f and hyphens, all below '~'.
  const found = db.selectFrom('runs').where('id', '>=', prefix).where('id', '<', `${prefix}~`);
  const rows = await found.select(runColumns).limit(2).execute();
  const [first] = rows;
  if (first === undefined) return null;
  if (rows.length === 1) return runOf(first);
  const { count } = await found.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  throw new BatutaError('RUN_NOT_FOUND', `The id "${prefix}" is ambiguous: ${count} runs begin so. Give more of its characters.`, {
    details: { id: prefix, count },
  });
}

/** See `RunStore.list`. @throws BatutaError FILTER_INVALID */
export async function listRuns(connection: Connection, filter: RunFilter): Promise<Page<Run>> {
  const limit = limitOf(filter.limit, 50, 1000);
  const db = await connection.kysely();
  const rows = await db
    .selectFrom('runs')
    .select(runColumns)
    .where((eb) => eb.and(conditionsOf(eb, filter, connection.dialect)))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit).map(runOf);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

/** See `RunStore.children`. */
export async function childRuns(connection: Connection, parentRunId: string): Promise<readonly Run[]> {
  const db = await connection.kysely();
  const rows = await db
    .selectFrom('runs')
    .select(runColumns)
    .where('parent_run_id', '=', parentRunId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(runOf);
}

function conditionsOf(eb: ExpressionBuilder<Tables, 'runs'>, filter: RunFilter, dialect: Connection['dialect']): Expression<SqlBool>[] {
  const { flow, deployment, states, tag, since, until, parentRunId, cursor } = filter;
  const conditions: Expression<SqlBool>[] = [];
  if (flow !== undefined) conditions.push(eb('flow', '=', flow));
  if (deployment !== undefined) conditions.push(eb('deployment', '=', deployment));
  if (states !== undefined && states.length > 0) conditions.push(stateCondition(eb, states));
  if (tag !== undefined) conditions.push(tagCondition(tag, dialect));
  if (since !== undefined) conditions.push(eb('created_at', '>=', since));
  if (until !== undefined) conditions.push(eb('created_at', '<', until));
  if (parentRunId === null) conditions.push(eb('parent_run_id', 'is', null));
  else if (parentRunId !== undefined) conditions.push(eb('parent_run_id', '=', parentRunId));
  if (cursor !== undefined) {
    const { createdAt, id } = placeOf(cursor);
    conditions.push(eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(createdAt, id)));
  }
  return conditions;
}

/** Types and names are resolved here, so that the index over the type serves whatever case they were written in. */
function stateCondition(eb: ExpressionBuilder<Tables, 'runs'>, states: readonly string[]): Expression<SqlBool> {
  const wanted = new Set(states.map((state) => state.toLowerCase()));
  const types: StateType[] = stateTypes.filter((type) => wanted.has(type.toLowerCase()));
  const names: StateName[] = stateTypes
    .flatMap((type): readonly StateName[] => stateNames[type])
    .filter((name) => wanted.has(name.toLowerCase()));
  const either: Expression<SqlBool>[] = [];
  if (types.length > 0) either.push(eb('state_type', 'in', types));
  if (names.length > 0) either.push(eb('state_name', 'in', [...new Set(names)]));
  return either.length > 0 ? eb.or(either) : sql<SqlBool>`1 = 0`;
}

function tagCondition(tag: string, dialect: Connection['dialect']): Expression<SqlBool> {
  return dialect === 'sqlite'
    ? sql<SqlBool>`exists (select 1 from json_each(runs.tags) where json_each.value = ${tag})`
    : sql<SqlBool>`jsonb_exists(runs.tags::jsonb, ${tag})`;
}
