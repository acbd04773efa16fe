/** Signals to runs. A suspended run continues when one arrives. */
import type { Database, Connection } from '../connection.ts';
import { freedAnew } from '../leases/leases.ts';
import { forUpdate } from '../sql.ts';
import { describeTable, insertText, integer, text, textOrNull, time, type RowOf } from '../table.ts';
import type { SignalStore } from './signal-contract.ts';
import { refuseReported } from '../reporting/refuse.ts';
import { addTransitions } from './transitions.ts';

const signalTable = describeTable('signals', { run_id: text, name: text, number: integer, data: textOrNull, sent_at: time });
const { list } = signalTable;
type SignalRow = RowOf<typeof signalTable>;

/** See `SignalStore`. */
export function signalStore(connection: Connection): SignalStore {
  return {
    send: (runId, name, data, at) =>
      connection.transaction(async (db) => {
        // The lock on the run keeps two senders from taking the same number, and its owner from suspending it unseen.
        const [run] = await db.query<{ id: string; owner: string | null }>(`select id, owner from runs where id = $1 ${forUpdate(db)}`, [
          runId,
        ]);
        if (!run) return null;
        refuseReported(runId, run.owner, 'signalled');
        const [last] = await db.query<{ number: number | null }>(
          'select max(number) as number from signals where run_id = $1 and name = $2',
          [runId, name],
        );
        const number = Number(last?.number ?? 0) + 1;
        await db.query(insertText(signalTable), signalTable.values({ runId, name, number, data, sentAt: at }));
        return { number, woken: await wakeSuspended(db, runId, at, `The signal '${name}' has come.`) };
      }),
    wake: (runId, at, message) => connection.transaction((db) => wakeSuspended(db, runId, at, message)),
    async get(runId, name, number) {
      const [row] = await connection.query<SignalRow>(`select ${list} from signals where run_id = $1 and name = $2 and number = $3`, [
        runId,
        name,
        number,
      ]);
      return row ? signalTable.read(row) : null;
    },
    async ofRun(runId) {
      const text = `select ${list} from signals where run_id = $1 order by sent_at, name, number`;
      return (await connection.query<SignalRow>(text, [runId])).map(signalTable.read);
    },
  };
}

/**
 * Makes the run, and those it is a sub-flow of, due now if they are suspended. Returns their ids, the outermost last. The epoch is raised,
 * so that a ticket put now differs from the one waiting for the time at which the run was due. It also shuts out an owner that has recorded
 * the suspension but not yet released the run.
 */
export async function wakeSuspended(db: Database, runId: string, at: number, message: string): Promise<string[]> {
  const rows = await db.query<{ id: string; attempt: number; state_type: string }>(
    `with recursive line (id, parent_run_id, attempt, state_type, depth) as (
       select id, parent_run_id, attempt, state_type, 0 from runs where id = $1
       union all
       select runs.id, runs.parent_run_id, runs.attempt, runs.state_type, line.depth + 1 from runs join line on runs.id = line.parent_run_id
     ) select id, attempt, state_type from line order by depth`,
    [runId],
  );
  const suspended = rows.filter((row) => row.state_type === 'PAUSED');
  for (const { id } of suspended) {
    await db.query(
      `update runs set state_type = 'SCHEDULED', state_name = 'Resuming', state_message = $1, due_at = $2, ${freedAnew}
       where id = $3 and state_type = 'PAUSED'`,
      [message, at, id],
    );
  }
  const transition = { taskRunId: null, at, type: 'SCHEDULED', name: 'Resuming', message, owner: null } as const;
  await addTransitions(
    db,
    suspended.map(({ id, attempt }) => ({ runId: id, attempt: Number(attempt), ...transition })),
  );
  return suspended.map(({ id }) => id);
}
