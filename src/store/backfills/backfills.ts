/** Backfills: their rows, and queries about their runs. */
import { pageOf, limitOf, placeOf } from '../lists/cursor.ts';
import { endValuesOf, endsWithText, idRangeOf } from '../id-part.ts';
import { idChars, isIdPart } from '../../model/ids.ts';
import { pickById } from '../../model/pick-by-id.ts';
import type { StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { insertText } from '../table.ts';
import type { BackfillCounts, BackfillStore } from './contract.ts';
import { countOpen, endBackfill, stepBackfill, backfillOf, type BackfillRow, backfillTable } from './step.ts';
import { Params, listed, listOf, selectAll, selectOne } from '../sql.ts';

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

const { list } = backfillTable;

export function backfillStore(connection: Connection): BackfillStore {
  const { query } = connection;
  return {
    async insert(backfill) {
      await query(insertText(backfillTable), backfillTable.values(backfill));
    },
    async get(id) {
      const whole = await selectOne(connection, backfillTable, 'where id = $1', [id]);
      if (whole !== null) return whole;
      if (!isIdPart(id) || id.length >= idChars) return null;
      const { from, to } = idRangeOf(id);
      // There are few, and an index would serve nothing else.
      const rows = await query<BackfillRow>(
        `select ${list} from backfills where (id >= $1 and id < $2) or (${endsWithText('id', id, ['$3', '$4'])}) order by id desc`,
        [from, to, ...endValuesOf(id)],
      );
      const found = pickById(rows, id, { code: 'BACKFILL_NOT_FOUND', plural: 'backfills' }, ({ deployment }) => `of ${deployment}`);
      return found === null ? null : backfillOf(found);
    },
    async list({ deployment, limit: wanted, cursor } = {}) {
      const limit = limitOf(wanted, 50, 1000);
      const params = new Params();
      const conditions = ['1 = 1'];
      if (deployment !== undefined) conditions.push(`deployment = ${params.add(deployment)}`);
      if (cursor !== undefined) {
        const place = placeOf(cursor);
        conditions.push(`(created_at, id) < (${params.add(place.createdAt)}, ${params.add(place.id)})`);
      }
      const text = `select ${list} from backfills where ${conditions.join(' and ')} order by created_at desc, id desc limit ${limit + 1}`;
      const rows = await query<BackfillRow>(text, params.values);
      return pageOf(rows, limit, backfillOf, ({ created_at: createdAt, id }) => ({ createdAt, id }));
    },
    open: (limit) => selectAll(connection, backfillTable, 'where ended_at is null order by created_at limit $1', [limit]),
    openCount: (id) => countOpen(connection, id),
    counts: (ids) => countRuns(connection, ids),
    step: (id, options, plan) => stepBackfill(connection, id, options, plan),
    end: (id, at) => endBackfill(connection, id, at),
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

async function countRuns(connection: Connection, ids: readonly string[]): Promise<ReadonlyMap<string, BackfillCounts>> {
  const rows = await connection.query<{ id: string; state_type: StateType; count: number }>(
    `select backfill_id as id, state_type, count(*) as count from runs
     where backfill_id in ${listed(connection, 1)} and backfill_id is not null group by backfill_id, state_type`,
    [listOf(ids)],
  );
  const counts = new Map(ids.map((id) => [id, { waiting: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }]));
  for (const { id, state_type, count } of rows) {
    const one = counts.get(id);
    if (one) one[kinds[state_type]] += Number(count);
  }
  return counts;
}
