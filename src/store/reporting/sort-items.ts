/** Which items of a batch are taken, by the run they are about. A refused item does not affect the others. */
import type {
  RefusedItem,
  ReportedFlow,
  ReportedLine,
  ReportedRun,
  ReportedTaskRun,
  ReportedTransition,
  ReportItem,
} from '../../model/report.ts';
import type { Artifact } from '../../model/run.ts';
import { isTerminal, type StateType } from '../../model/state.ts';
import type { Database } from '../connection.ts';
import { listed, listOf, lockInOrder } from '../sql.ts';
import { jsonText } from '../storable.ts';

/** The last numbers of a run's history and lines, as numbered in the store they come from. */
interface Marks {
  transition: number;
  log: number;
}

/** What is to be written; of several items about one row, the last. */
export interface SortedItems {
  readonly flows: ReadonlyMap<string, ReportedFlow>;
  readonly runs: ReadonlyMap<string, ReportedRun>;
  /** By run and key. */
  readonly tasks: ReadonlyMap<string, ReportedTaskRun>;
  readonly transitions: readonly ReportedTransition[];
  readonly logs: readonly ReportedLine[];
  /** By id. */
  readonly artifacts: ReadonlyMap<string, Artifact>;
  /** Of all runs for which something is written. */
  readonly marks: ReadonlyMap<string, Marks>;
  readonly refused: readonly RefusedItem[];
}

/** A run that items name, as it is stored here. */
interface Known {
  readonly standing: 'own' | 'foreign' | 'deleted';
  state: StateType | null;
  attempt: number;
  readonly marks: Marks;
}

type Refusal = Pick<RefusedItem, 'reason' | 'message'>;

/** Sorts the items; locks the runs they are about until the transaction ends. */
export async function sortItems(
  db: Database,
  by: { readonly reporterId: string; readonly family: string },
  items: readonly ReportItem[],
): Promise<SortedItems> {
  const sorter = new Sorter(await knownRuns(db, by.family, items), await knownTasks(db, items));
  for (const item of items) sorter.take(item);
  return sorter;
}

class Sorter implements SortedItems {
  readonly flows = new Map<string, ReportedFlow>();
  readonly runs = new Map<string, ReportedRun>();
  readonly tasks = new Map<string, ReportedTaskRun>();
  readonly transitions: ReportedTransition[] = [];
  readonly logs: ReportedLine[] = [];
  readonly artifacts = new Map<string, Artifact>();
  readonly marks = new Map<string, Marks>();
  readonly refused: RefusedItem[] = [];
  readonly #known: Map<string, Known>;
  readonly #idOfKey: Map<string, string>;

  constructor(known: Map<string, Known>, idOfKey: ReadonlyMap<string, string>) {
    this.#known = known;
    this.#idOfKey = new Map(idOfKey);
  }

  take(item: ReportItem): void {
    if (item.kind === 'flow') return void this.flows.set(item.data.name, item.data);
    const runId = item.kind === 'run' ? item.data.id : item.data.runId;
    const run = this.#known.get(runId) ?? this.#begin(item);
    const refusal = run === null ? unknownRun(runId) : run.standing === 'foreign' ? foreignRun(runId) : this.#refusalOf(item, run);
    if (refusal !== null) return void this.refused.push({ seq: item.seq, ...refusal });
    // Deleted here: further items are ignored.
    if (run === null || run.standing === 'deleted') return;
    this.marks.set(runId, run.marks);
    this.#keep(item, run);
  }

  #begin(item: ReportItem): Known | null {
    if (item.kind !== 'run') return null;
    const begun: Known = { standing: 'own', state: null, attempt: 0, marks: { transition: 0, log: 0 } };
    this.#known.set(item.data.id, begun);
    return begun;
  }

  #refusalOf(item: ReportItem, run: Known): Refusal | null {
    if (run.standing === 'deleted') return null;
    if (item.kind === 'run') return stateRefusal(item.data, run);
    if (item.kind !== 'task') return null;
    const holder = this.#idOfKey.get(placeOf(item.data.runId, item.data.key));
    if (holder === undefined || holder === item.data.id) return null;
    return { reason: 'foreign', message: `Another task run, ${holder}, has the key ${item.data.key} in this run.` };
  }

  /** Another reporter's run gets no sub-flow run from here. */
  #withOwnParent(run: ReportedRun): ReportedRun {
    const isForeign = run.parentRunId !== null && this.#known.get(run.parentRunId)?.standing === 'foreign';
    return isForeign ? { ...run, parentRunId: null, parentTaskRunId: null } : run;
  }

  /** Of several with one id the first is kept, but progress is updated. */
  #keepArtifact(artifact: Artifact): void {
    const first = this.artifacts.get(artifact.id);
    const goesOn = first?.kind === 'progress' && artifact.kind === 'progress' && first.runId === artifact.runId;
    if (first === undefined) this.artifacts.set(artifact.id, artifact);
    else if (goesOn) this.artifacts.set(artifact.id, { ...first, data: artifact.data });
  }

  #keep(item: ReportItem, run: Known): void {
    switch (item.kind) {
      case 'run':
        [run.state, run.attempt] = [item.data.state.type, item.data.attempt];
        this.runs.set(item.data.id, this.#withOwnParent(item.data));
        break;
      case 'task':
        this.#idOfKey.set(placeOf(item.data.runId, item.data.key), item.data.id);
        this.tasks.set(placeOf(item.data.runId, item.data.key), item.data);
        break;
      case 'transition':
        if (item.data.number <= run.marks.transition) break;
        run.marks.transition = item.data.number;
        this.transitions.push(item.data);
        break;
      case 'log':
        if (item.data.number <= run.marks.log) break;
        run.marks.log = item.data.number;
        this.logs.push(item.data);
        break;
      case 'artifact':
        this.#keepArtifact(item.data);
        break;
      case 'flow':
    }
  }
}

/** An ended run stays as it is, unless a new attempt was opened; attempts never decrease. */
function stateRefusal({ id, state, attempt }: ReportedRun, before: Known): Refusal | null {
  const reopens = before.state !== null && isTerminal(before.state) && before.state !== state.type;
  if (attempt > before.attempt || (attempt === before.attempt && !reopens)) return null;
  return {
    reason: 'state',
    message: `The run ${id} is ${before.state} in attempt ${before.attempt}; it cannot be ${state.type} in attempt ${attempt}.`,
  };
}

const unknownRun = (id: string): Refusal => ({ reason: 'unknown-run', message: `The run ${id} was never reported.` });
const foreignRun = (id: string): Refusal => ({ reason: 'foreign', message: `The run ${id} belongs to another reporter.` });

interface KnownRow {
  readonly id: string;
  readonly family: string | null;
  readonly transition_mark: number | null;
  readonly log_mark: number | null;
  readonly state_type: StateType | null;
  readonly attempt: number | null;
}

async function knownRuns(db: Database, family: string, items: readonly ReportItem[]): Promise<Map<string, Known>> {
  const ids = [...new Set(items.flatMap(runsOf))];
  if (ids.length === 0) return new Map();
  const given = listOf(ids);
  if (db.dialect === 'postgres') await db.query(`select id from runs where id in ${listed(db, 1)} ${lockInOrder(db, 'runs')}`, [given]);
  const rows = await db.query<KnownRow>(
    `select asked.id, reported_runs.family, transition_mark, log_mark, runs.state_type, runs.attempt
     from ${db.fragments.list(1, { id: 'text' })} as asked left join reported_runs on reported_runs.run_id = asked.id
     left join runs on runs.id = asked.id where reported_runs.family is not null or runs.id is not null`,
    [given],
  );
  return new Map(rows.map((row) => [row.id, knownOf(row, family)]));
}

/** The runs an item names: its run and, for a run, its parent. */
function runsOf(item: ReportItem): readonly string[] {
  if (item.kind === 'flow') return [];
  if (item.kind !== 'run') return [item.data.runId];
  return item.data.parentRunId === null ? [item.data.id] : [item.data.id, item.data.parentRunId];
}

function knownOf(row: KnownRow, family: string): Known {
  const standing = row.family !== family ? 'foreign' : row.state_type === null ? 'deleted' : 'own';
  const marks = { transition: Number(row.transition_mark ?? 0), log: Number(row.log_mark ?? 0) };
  return { standing, state: row.state_type, attempt: Number(row.attempt ?? 0), marks };
}

/** Task runs that hold the keys that items name. */
async function knownTasks(db: Database, items: readonly ReportItem[]): Promise<ReadonlyMap<string, string>> {
  const keys = items.flatMap((item) => (item.kind === 'task' ? [[item.data.runId, item.data.key]] : []));
  if (keys.length === 0) return new Map();
  const rows = await db.query<{ id: string; run_id: string; key: string }>(
    `select task_runs.id, task_runs.run_id, task_runs.key from ${db.fragments.list(1, { held_run: 'text', held_key: 'text' })} as asked
     join task_runs on task_runs.run_id = asked.held_run and task_runs.key = asked.held_key`,
    [jsonText(keys)],
  );
  return new Map(rows.map(({ id, run_id: runId, key }) => [placeOf(runId, key), id]));
}

function placeOf(runId: string, key: string): string {
  return `${runId} ${key}`;
}
