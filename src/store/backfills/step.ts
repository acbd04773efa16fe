/**
 * One step of a backfill, with its row locked: how many of its runs are open, which failed ones are reopened, and which new ones are made
 * is one decision, no matter who else steps at the same time.
 */
import type { Database, Connection } from '../connection.ts';
import type { Ticketed } from '../leases/contract.ts';
import { insertWithin } from '../fleet/waiting.ts';
import type { Backfill } from '../../model/deployment.ts';
import { readSchedule } from '../read-json.ts';
import { type RowOf, describeTable, integer, json, named, text, time, timeOrNull, word } from '../table.ts';
import { forUpdate } from '../sql.ts';
import { reopenWithin } from '../runs/reopen.ts';
import type { BackfillStep, PlanRuns, StoredBackfill } from './contract.ts';

export const backfillTable = describeTable('backfills', {
  id: text,
  deployment: text,
  schedule: text,
  rule: json(readSchedule),
  from_at: time,
  until_at: time,
  run_order: named('order', word<Backfill['order']>()),
  max_parallel: integer,
  total: integer,
  made: integer,
  place: time,
  created_at: time,
  resumed_at: timeOrNull,
  cancel_requested_at: timeOrNull,
  ended_at: timeOrNull,
});
export type BackfillRow = RowOf<typeof backfillTable>;
export const backfillOf: (row: BackfillRow) => StoredBackfill = backfillTable.read;

/** See `BackfillStore.step`. */
export async function stepBackfill(
  connection: Connection,
  id: string,
  { at, maxRuns }: { readonly at: number; readonly maxRuns: number },
  plan: PlanRuns,
): Promise<BackfillStep | null> {
  return await connection.transaction(async (db) => {
    const [row] = await db.query<BackfillRow>(`select ${backfillTable.list} from backfills where id = $1 ${forUpdate(db)}`, [id]);
    if (row === undefined || row.ended_at !== null || row.cancel_requested_at !== null) return null;
    const backfill = backfillOf(row);
    const open = await countOpen(db, id);
    const free = Math.min(maxRuns, backfill.maxParallel - open);
    if (free <= 0) return { waiting: [], isFull: false };
    const reopened = await reopenFailed(db, backfill, at, free);
    const left = free - reopened.length;
    const planned = left === 0 ? null : plan(backfill, left);
    const { runs, next } = planned ?? { runs: [], next: backfill.place };
    const placed = await insertWithin(
      db,
      runs.map((run) => ({ run, idempotencyKey: null })),
    );
    if (runs.length > 0) await db.query('update backfills set place = $2, made = made + $3 where id = $1', [id, next, runs.length]);
    const made = runs
      .filter((_, index) => placed[index]?.inserted === true)
      .map(({ id: runId, queue = 'default', priority = 0 }): Ticketed => ({ id: runId, epoch: 0, queue, priority, dueAt: null }));
    if (planned !== null && open + reopened.length + runs.length === 0) await endBackfill(db, id, at);
    return { waiting: [...reopened, ...made], isFull: reopened.length + runs.length === maxRuns };
  });
}

/** How many of its runs are open. */
export async function countOpen({ query }: Database, id: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*) as count from runs
     where backfill_id = $1 and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')`,
    [id],
  );
  return Number(row?.count ?? 0);
}

/** See `BackfillStore.end`. */
export async function endBackfill({ query }: Database, id: string, at: number): Promise<void> {
  await query(
    `update backfills set ended_at = $2, total = case when cancel_requested_at is null then made else total end
     where id = $1 and ended_at is null`,
    [id, at],
  );
}

/** After a resume: those not completed by then, each once, in the order of the ticks; locked in the order of ids. */
async function reopenFailed(db: Database, { id, order, resumedAt }: StoredBackfill, at: number, limit: number): Promise<Ticketed[]> {
  if (resumedAt === null) return [];
  const failed = await db.query<{ id: string }>(
    `select id from runs where backfill_id = $1 and state_type in ('FAILED', 'CRASHED', 'CANCELLED') and ended_at <= $2
     order by scheduled_for ${order === 'oldest' ? 'asc' : 'desc'} limit $3`,
    [id, resumedAt, limit],
  );
  const reopened = new Map<string, Ticketed>();
  for (const runId of failed.map((run) => run.id).sort()) {
    const run = await reopenWithin(db, runId, at, []);
    if (run) reopened.set(runId, run);
  }
  return failed.flatMap((run) => reopened.get(run.id) ?? []);
}
