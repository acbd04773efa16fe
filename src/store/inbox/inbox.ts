/** What runs wait for people to decide. */
import { decisionName, type InboxItem, type ListedInboxItem } from '../../model/inbox.ts';
import { isTerminal, type StateType } from '../../model/state.ts';
import type { Connection, Database } from '../connection.ts';
import { cursorOf, limitOf, placeOf } from '../lists/cursor.ts';
import { type Claim, hasOwner, ownerTextOf } from '../ownership.ts';
import { readJson } from '../read-json.ts';
import { wakeSuspended } from '../runs/signals.ts';
import { forUpdate, Params, terminalList } from '../sql.ts';
import { columnsOf, describeTable, integer, jsonOrNull, type RowOf, text, textOrNull, time, timeOrNull, word } from '../table.ts';
import type { Decision, DecisionOutcome, InboxPageFilter, InboxStore } from './contract.ts';

const inboxTable = describeTable('inbox', {
  id: text,
  run_id: text,
  name: text,
  number: integer,
  title: text,
  description: textOrNull,
  status: word<InboxItem['status']>(),
  decided_by: textOrNull,
  decided_via: textOrNull,
  problem: textOrNull,
  created_at: time,
  due_at: timeOrNull,
  decided_at: timeOrNull,
  schema: jsonOrNull((value) => readJson<unknown>(value)),
  value: textOrNull,
});
type Row = RowOf<typeof inboxTable>;

interface ListedRow extends Row {
  readonly flow: string;
  readonly run_name: string;
  readonly state_type: StateType;
}

const listedColumns = `${columnsOf(inboxTable)}, runs.flow, runs.name as run_name, runs.state_type`;
const listedFrom = 'from inbox join runs on runs.id = inbox.run_id';

/** See `InboxStore`. */
export function inboxStore(connection: Connection): InboxStore {
  const { query } = connection;
  return {
    async ask(claim, item) {
      const columns = inboxTable.list;
      const values = inboxTable.values({ ...item, status: 'open' });
      const params = new Params();
      const given = values.map(
        (value, at) => `cast(${params.add(value)} as ${integers.has(inboxTable.columns[at] ?? '') ? 'bigint' : 'text'})`,
      );
      await query(
        `insert into inbox (${columns}) select ${given.join(', ')} from runs where ${owns(claim, params)}
         on conflict (run_id, name, number) do update set status = 'open', title = excluded.title, description = excluded.description,
           schema = excluded.schema, created_at = excluded.created_at, due_at = excluded.due_at, decided_at = null, problem = null
           where inbox.status = 'expired' or (inbox.status = 'open' and inbox.created_at <> excluded.created_at)`,
        params.values,
      );
    },
    async asked(runId, name, number) {
      const rows = await query<Row>(`select ${inboxTable.list} from inbox where run_id = $1 and name = $2 and number = $3`, [
        runId,
        name,
        number,
      ]);
      return rows[0] ? itemOf(rows[0]) : null;
    },
    get: (id) => getItem(connection, id),
    list: (filter = {}) => listItems(connection, filter),
    decide: (id, decision) => connection.transaction((db) => decide(db, id, decision)),
    async expire(claim, name, number, at) {
      const params = new Params();
      const rows = await query<{ id: string }>(
        `update inbox set status = 'expired', decided_at = ${params.add(at)} where ${placed(claim, name, number, params)} and status = 'open' returning id`,
        params.values,
      );
      return rows.length > 0;
    },
    async refuse(claim, name, number, problem) {
      await connection.transaction(async (db) => {
        const params = new Params();
        const rows = await db.query<{ id: string }>(
          `update inbox set status = 'open', problem = ${params.add(problem)}, value = null, decided_by = null, decided_via = null, decided_at = null
           where ${placed(claim, name, number, params)} and status <> 'expired' returning id`,
          params.values,
        );
        if (rows.length === 0) return;
        await db.query('delete from signals where run_id = $1 and name = $2 and number = $3', [claim.runId, decisionName(name), number]);
      });
    },
  };
}

const integers: ReadonlySet<string> = new Set(['number', 'created_at', 'due_at', 'decided_at']);

function owns(claim: Claim, params: Params): string {
  return `runs.id = ${params.add(claim.runId)} and runs.epoch = ${params.add(claim.epoch)} and ${hasOwner(params.add(ownerTextOf(claim)))}`;
}

function placed(claim: Claim, name: string, number: number, params: Params): string {
  const item = `inbox.run_id = ${params.add(claim.runId)} and inbox.name = ${params.add(name)} and inbox.number = ${params.add(number)}`;
  return `${item} and exists (select 1 from runs where ${owns(claim, params)})`;
}

async function decide(db: Database, id: string, { value, by, via, at }: Decision): Promise<DecisionOutcome | null> {
  const [place] = await db.query<{ run_id: string }>('select run_id from inbox where id = $1', [id]);
  if (!place) return null;
  // The lock on the run keeps its owner from suspending it unseen, and another decision from being first.
  await db.query(`select id from runs where id = $1 ${forUpdate(db)}`, [place.run_id]);
  const item = await getItem(db, id);
  if (!item || item.status !== 'open' || (item.dueAt !== null && item.dueAt <= at)) return item && { isDecided: false, item, woken: [] };
  const { runId, name, number, title } = item;
  const decided = await db.query<{ id: string }>(
    `update inbox set status = 'decided', value = $2, decided_by = $3, decided_via = $4, decided_at = $5, problem = null
     where id = $1 and status = 'open' returning id`,
    [id, value, by, via, at],
  );
  // It may have expired since it was read: that takes no lock of the run.
  if (decided.length === 0) return { isDecided: false, item: (await getItem(db, id)) ?? item, woken: [] };
  await db.query('insert into signals (run_id, name, number, data, sent_at) values ($1, $2, $3, $4, $5)', [
    ...[runId, decisionName(name), number, value, at],
  ]);
  const woken = await wakeSuspended(db, runId, at, `'${title}' was decided by ${by}.`);
  const changed = { status: 'decided', value, decidedBy: by, decidedVia: via, decidedAt: at, problem: null } as const;
  return { isDecided: true, item: { ...item, ...changed }, woken };
}

async function getItem({ query }: Pick<Database, 'query'>, id: string): Promise<ListedInboxItem | null> {
  const [row] = await query<ListedRow>(`select ${listedColumns} ${listedFrom} where inbox.id = $1`, [id]);
  return row ? listedOf(row) : null;
}

async function listItems({ query }: Connection, { status = 'open', flow, runId, limit: wanted, cursor }: InboxPageFilter) {
  const limit = limitOf(wanted, 50, 1000);
  const params = new Params();
  const conditions = ['1 = 1'];
  if (status === 'open' || status === 'withdrawn')
    conditions.push(`inbox.status = 'open'`, `runs.state_type ${status === 'open' ? 'not in' : 'in'} (${terminalList})`);
  else if (status !== 'all') conditions.push(`inbox.status = ${params.add(status)}`);
  if (flow !== undefined) conditions.push(`runs.flow = ${params.add(flow)}`);
  if (runId !== undefined) conditions.push(`inbox.run_id = ${params.add(runId)}`);
  if (cursor !== undefined) {
    const place = placeOf(cursor);
    conditions.push(`(inbox.created_at, inbox.id) < (${params.add(place.createdAt)}, ${params.add(place.id)})`);
  }
  const rows = await query<ListedRow>(
    `select ${listedColumns} ${listedFrom} where ${conditions.join(' and ')} order by inbox.created_at desc, inbox.id desc limit ${limit + 1}`,
    params.values,
  );
  const last = rows[limit - 1];
  const next = rows.length > limit && last !== undefined ? cursorOf({ createdAt: last.created_at, id: last.id }) : null;
  return { items: rows.slice(0, limit).map(listedOf), next };
}

function itemOf(row: Row): InboxItem {
  return inboxTable.read(row) as InboxItem;
}

function listedOf({ flow, run_name, state_type, ...row }: ListedRow): ListedInboxItem {
  const item = itemOf(row);
  const isWithdrawn = item.status === 'open' && isTerminal(state_type);
  return { ...item, ...(isWithdrawn ? { status: 'withdrawn' } : null), flow, runName: run_name };
}
