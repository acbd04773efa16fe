/**
 * The task runs of one run, followed: each read fetches what has changed since the last, so that following a very large run costs as much
 * as changes, not as much as there is.
 *
 * The history of the run says which have changed. New rows come after existing ones; on PostgreSQL one may become visible after a later
 * one, so changed ones not found there are looked up among all of the run.
 */
import { listOf } from '../sql.ts';
import { taskRunTable, type TaskRunRow, taskRunOf } from '../tables.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { jsonText } from '../storable.ts';
import type { FollowedTaskRuns } from './contract.ts';

/** Rows and changes per statement: SQLite reads within one turn of the event loop, so too many would hold it up. */
const rowsAtOnce = 2_000;
/** Running task runs whose progress is checked at each read: progress leaves no trace in the history. */
const progressAtOnce = 200;

const columns = `seq, ${taskRunTable.list}`;
// Written so that it goes by the numbers: by the run, it would walk over all rows of the run.
const newText = `select ${columns} from task_runs where seq > $2 and (run_id || '') = $1 order by seq limit ${rowsAtOnce}`;
const changedText = `select seq, task_run_id as id from transitions where run_id = $1 and seq > $2 order by seq limit ${rowsAtOnce}`;
const lastChangeText = 'select coalesce(max(seq), 0) as seq from transitions where run_id = $1';
const lastRowText = 'select coalesce(max(seq), 0) as seq from task_runs';

interface Known {
  readonly seq: number;
  readonly row: TaskRun;
}

/** See `TaskRunStore.follow`. */
export function followTaskRuns(connection: Connection, runId: string): FollowedTaskRuns {
  const follower = new Follower(connection, runId);
  return { read: (isLast) => follower.read(isLast ?? false) };
}

class Follower {
  readonly #connection: Connection;
  readonly #runId: string;
  readonly #known = new Map<string, Known>();
  /** Ids of running ones, least recently checked first. */
  readonly #running = new Set<string>();
  #begun = false;
  #lastChange = 0;
  #lastRow = 0;
  #highest = 0;
  #inOrder = true;
  #changed = true;

  constructor(connection: Connection, runId: string) {
    this.#connection = connection;
    this.#runId = runId;
  }

  async read(isLast: boolean): Promise<readonly TaskRun[] | null> {
    if (this.#begun) await this.#readChanges(isLast);
    else await this.#readAll();
    if (!this.#changed) return null;
    this.#changed = false;
    const all = [...this.#known.values()];
    if (!this.#inOrder) all.sort((a, b) => a.seq - b.seq);
    return all.map(({ row }) => row);
  }

  async #readAll(): Promise<void> {
    this.#begun = true;
    this.#lastChange = await this.#numberOf(lastChangeText, [this.#runId]);
    this.#lastRow = await this.#numberOf(lastRowText, []);
    const read: NumberedRow[] = [];
    for await (const rows of pagesOfRun(this.#connection, this.#runId)) read.push(...rows);
    this.#take(read.sort((a, b) => a.seq - b.seq));
  }

  async #readChanges(isLast: boolean): Promise<void> {
    const { query } = this.#connection;
    const changed = await this.#changedIds();
    if (changed.size > 0) {
      const top = await this.#numberOf(lastRowText, []);
      for (let rows: readonly NumberedRow[], isFull = true; isFull; isFull = rows.length === rowsAtOnce) {
        rows = await query<NumberedRow>(newText, [this.#runId, this.#lastRow]);
        this.#take(rows);
        for (const { id } of rows) changed.delete(id);
        this.#lastRow = rows.at(-1)?.seq ?? this.#lastRow;
      }
      this.#lastRow = Math.max(this.#lastRow, top);
    }
    const unknown: string[] = [];
    const known: string[] = [];
    for (const id of changed) (this.#known.has(id) ? known : unknown).push(id);
    known.push(...this.#goingOn(changed, isLast));
    for (let at = 0; at < known.length; at += rowsAtOnce) {
      const seqs = known.slice(at, at + rowsAtOnce).map((id) => [this.#known.get(id)?.seq]);
      const asked = this.#connection.fragments.list(1, { seq: 'integer' });
      this.#take(await query(`select ${columns} from task_runs where seq in (select seq from ${asked} as asked)`, [jsonText(seqs)]));
    }
    if (unknown.length === 0) return;
    const asked = this.#connection.fragments.list(2, { id: 'text' });
    const text = `select ${columns} from task_runs where run_id = $1 and id in (select id from ${asked} as asked) order by seq`;
    this.#take(await query(text, [this.#runId, listOf(unknown)]));
  }

  async #changedIds(): Promise<Set<string>> {
    const ids = new Set<string>();
    for (;;) {
      const changes = await this.#connection.query<{ seq: number; id: string | null }>(changedText, [this.#runId, this.#lastChange]);
      for (const { seq, id } of changes) {
        this.#lastChange = seq;
        if (id !== null) ids.add(id);
      }
      if (changes.length < rowsAtOnce) return ids;
    }
  }

  /** Ids whose progress is checked; at the end of the run, all believed to be running. */
  #goingOn(except: ReadonlySet<string>, all: boolean): string[] {
    const ids: string[] = [];
    for (const id of this.#running) {
      if (!all && ids.length === progressAtOnce) break;
      if (!except.has(id)) ids.push(id);
    }
    return ids;
  }

  #take(rows: readonly (TaskRunRow & { readonly seq: number })[]): void {
    for (const { seq, ...columnsOfRow } of rows) {
      const row = taskRunOf(columnsOfRow);
      const before = this.#known.get(row.id)?.row;
      this.#known.set(row.id, { seq, row });
      if (before === undefined) {
        this.#inOrder &&= seq > this.#highest;
        this.#highest = Math.max(this.#highest, seq);
      }
      this.#running.delete(row.id);
      if (!isTerminal(row.state.type)) this.#running.add(row.id);
      this.#changed ||= before === undefined || shownOf(before) !== shownOf(row);
    }
  }

  async #numberOf(text: string, params: readonly string[]): Promise<number> {
    const [found] = await this.#connection.query<{ seq: number }>(text, params);
    return Number(found?.seq ?? 0);
  }
}

/** Differs when anything a watcher shows has changed. */
function shownOf({ state, attempt, progress }: TaskRun): string {
  return `${state.name} ${attempt} ${progress?.done ?? ''}`;
}

const firstText = `select ${columns} from task_runs where run_id = $1 order by key limit ${rowsAtOnce}`;
const nextText = `select ${columns} from task_runs where run_id = $1 and key > $2 order by key limit ${rowsAtOnce}`;
/** A row with its place. */
export type NumberedRow = TaskRunRow & { readonly seq: number };

/** In index order, by key, one batch per turn of the event loop. */
export async function* pagesOfRun({ query }: Connection, runId: string): AsyncGenerator<readonly NumberedRow[]> {
  let rows = await query<NumberedRow>(firstText, [runId]);
  yield rows;
  for (let last = rows.at(-1); last && rows.length === rowsAtOnce; last = rows.at(-1)) {
    await new Promise((resolve) => setImmediate(resolve));
    rows = await query<NumberedRow>(nextText, [runId, last.key]);
    yield rows;
  }
}
