/**
 * Gathers calls into runs. Adding and closing lock the row of the key first, and the run after it: a call is either in the run that begins,
 * or in the next.
 */
import type { Connection, Database } from '../connection.ts';
import { insertWithin, runWork } from '../fleet/waiting.ts';
import { releaseLease } from '../leases/leases.ts';
import { type Claim, hasOwner, ownerTextOf } from '../ownership.ts';
import { clockOf, forUpdate, terminalList } from '../sql.ts';
import { runOf, type RunRow, runTable } from '../tables.ts';
import type { Closing, DebouncedCall, DebounceStore } from './contract.ts';

interface Row {
  readonly run_id: string;
  readonly key: string;
  readonly wait_ms: number;
  readonly calls: number;
  readonly due_at: number;
  readonly latest_at: number | null;
}

const columns = 'run_id, key, wait_ms, calls, due_at, latest_at';

/** See `DebounceStore`. */
export function debounceStore(connection: Connection): DebounceStore {
  return {
    add: (call) => connection.transaction((db) => add(db, call)),
    close: (claim, holdMs) => connection.transaction((db) => close(db, claim, holdMs)),
    async forget(runId) {
      await connection.query('delete from debounces where run_id = $1', [runId]);
    },
    async get(runId) {
      const [row] = await connection.query<Row>(`select ${columns} from debounces where run_id = $1`, [runId]);
      if (row === undefined) return null;
      return { key: row.key, waitMs: row.wait_ms, calls: row.calls, dueAt: row.due_at, latestAt: row.latest_at };
    },
  };
}

async function add(db: Database, call: DebouncedCall): ReturnType<DebounceStore['add']> {
  const { run, key, waitMs, maxWaitMs } = call;
  // This locks an existing row and leaves it unchanged.
  const [row] = await db.query<Row>(
    `insert into debounces (flow, ${columns}) values ($1, $2, $3, 0, 0, 0, null)
     on conflict (flow, key) do update set flow = excluded.flow returning ${columns}`,
    [run.flow, run.id, key],
  );
  const at = await clockOf(db);
  const later = at + waitMs;
  if (row !== undefined && row.run_id !== run.id) {
    const dueAt = row.latest_at === null ? later : Math.min(later, row.latest_at);
    if (await replace(db, row.run_id, call)) {
      await db.query('update debounces set due_at = $1, wait_ms = $2, calls = calls + 1 where flow = $3 and key = $4', [
        dueAt,
        waitMs,
        run.flow,
        key,
      ]);
      return { id: row.run_id, inserted: false, dueAt };
    }
  }
  const latestAt = maxWaitMs === null ? null : at + maxWaitMs;
  const dueAt = latestAt === null ? later : Math.min(later, latestAt);
  await db.query('update debounces set run_id = $1, wait_ms = $2, calls = 1, due_at = $3, latest_at = $4 where flow = $5 and key = $6', [
    run.id,
    waitMs,
    dueAt,
    latestAt,
    run.flow,
    key,
  ]);
  const [placed] = await insertWithin(db, [{ run: { ...run, dueAt }, idempotencyKey: null }]);
  return { id: placed?.id ?? run.id, inserted: true, dueAt };
}

/** False if the run takes no more calls: it has begun, ended, or is gone. */
async function replace(db: Database, id: string, { run, renames }: DebouncedCall): Promise<boolean> {
  const changed = await db.query(
    `update runs set params = $1, name = case when $2 = 1 then $3 else name end
     where id = $4 and started_at is null and attempt = 1 and recoveries = 0 and state_type not in (${terminalList}, 'CANCELLING')
     returning id`,
    [run.params, renames ? 1 : 0, run.name, id],
  );
  return changed.length > 0;
}

async function close(db: Database, claim: Claim, holdMs: number): Promise<Closing> {
  const [row] = await db.query<Row>(`select ${columns} from debounces where run_id = $1 ${forUpdate(db)}`, [claim.runId]);
  const [run] = await db.query<RunRow>(`select ${runTable.list} from runs where id = $1 and epoch = $2 and ${hasOwner('$3')}`, [
    claim.runId,
    claim.epoch,
    ownerTextOf(claim),
  ]);
  if (run === undefined) return { kind: 'closed', run: null };
  if (row !== undefined) {
    const ms = row.due_at - (await clockOf(db));
    if (ms > 0 && ms <= holdMs) return { kind: 'early', ms };
    if (ms > 0) return { kind: 'waits', ticket: await releaseLease(db, runWork, claim, row.due_at) };
    await db.query('delete from debounces where run_id = $1', [claim.runId]);
  }
  return { kind: 'closed', run: runOf(run) };
}
