/** Backfills: their rows, and what is asked of their runs. */
import { idChars, isIdPart } from '../../model/ids.ts';
import { pickById } from '../../model/pick-by-id.ts';
import type { StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { endsWithText, endValuesOf, idRangeOf } from '../id-part.ts';
import { cursorOf, limitOf, placeOf } from '../lists/cursor.ts';
import type { Value } from '../rows.ts';
import type { BackfillCounts, BackfillStore } from './contract.ts';
import { backfillOf, type BackfillRow, columns, valuesOf } from './rows.ts';
import { countOpen, endBackfill, stepBackfill } from './step.ts';
import { jsonText } from '../storable.ts';

const kinds: Readonly<Record<StateType, keyof BackfillCounts>> = {
  SCHEDULED: 'waiting',
  PENDING: 'waiting',
  RUNNING: 'running',
  PAUSED: 'running',
  CANCELLING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CRASHED: 'failed',
  CANCELLED: 'cancelled',
};

export function backfillStore(connection: Connection): BackfillStore {
  const { query } = connection;
  return {
    async insert(backfill) {
      const places = columns.map((_, at) => `$${at + 1}`).join(', ');
      await query(`insert into backfills (${columns.join(', ')}) values (${places})`, valuesOf(backfill));
    },
    async get(id) {
      const [whole] = await query<BackfillRow>('select * from backfills where id = $1', [id]);
      if (whole !== undefined) return backfillOf(whole);
      if (!isIdPart(id) || id.length >= idChars) return null;
      const { from, to } = idRangeOf(id);
      // There are few, and an index would serve nothing else.
      const rows = await query<BackfillRow>(
        `select * from backfills where (id >= $1 and id < $2) or (${endsWithText('id', id, ['$3', '$4'])}) order by id desc`,
        [from, to, ...endValuesOf(id)],
      );
      const found = pickById(rows, id, { code: 'BACKFILL_NOT_FOUND', plural: 'backfills' }, ({ deployment }) => `of ${deployment}`);
      return found === null ? null : backfillOf(found);
    },
    async list({ deployment, limit: wanted, cursor } = {}) {
      const limit = limitOf(wanted, 50, 1000);
      const params: Value[] = [limit + 1];
      const bind = (value: Value): string => `$${params.push(value)}`;
      const place = cursor === undefined ? null : placeOf(cursor);
      const conditions = [
        ...(deployment === undefined ? [] : [`deployment = ${bind(deployment)}`]),
        ...(place === null ? [] : [`(created_at, id) < (${bind(place.createdAt)}, ${bind(place.id)})`]),
      ];
      const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
      const rows = await query<BackfillRow>(`select * from backfills ${where} order by created_at desc, id desc limit $1`, params);
      const items = rows.slice(0, limit).map(backfillOf);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
    },
    async open(limit) {
      return (await query<BackfillRow>('select * from backfills where ended_at is null order by created_at limit $1', [limit])).map(
        backfillOf,
      );
    },
    openCount: (id) => countOpen(query, id),
    counts: (ids) => countRuns(connection, ids),
    step: (id, options, plan) => stepBackfill(connection, id, options, plan),
    end: (id, at) => endBackfill(query, id, at),
    async requestCancel(id, at) {
      const rows = await query(
        'update backfills set cancel_requested_at = coalesce(cancel_requested_at, $2) where id = $1 and ended_at is null returning id',
        [id, at],
      );
      return rows.length > 0;
    },
    async resume(id, at) {
      const rows = await query(
        'update backfills set resumed_at = $2, cancel_requested_at = null, ended_at = null where id = $1 returning id',
        [id, at],
      );
      return rows.length > 0;
    },
    async openRuns(id, limit) {
      const rows = await query<{ id: string }>(
        `select id from runs where backfill_id = $1 and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED') limit $2`,
        [id, limit],
      );
      return rows.map((row) => row.id);
    },
  };
}

async function countRuns({ query, fragments }: Connection, ids: readonly string[]): Promise<ReadonlyMap<string, BackfillCounts>> {
  const rows = await query<{ id: string; state_type: StateType; count: number }>(
    `select backfill_id as id, state_type, count(*) as count from runs
     where backfill_id in (select id from ${fragments.list(1, { id: 'text' })} as listed) and backfill_id is not null group by backfill_id, state_type`,
    [jsonText(ids.map((id) => [id]))],
  );
  const counts = new Map(ids.map((id) => [id, { waiting: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }]));
  for (const { id, state_type, count } of rows) {
    const one = counts.get(id);
    if (one) one[kinds[state_type]] += Number(count);
  }
  return counts;
}
