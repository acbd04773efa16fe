/**
 * The one statement that writes a batch of the recorder into PostgreSQL: one round trip, one transaction.
 *
 * `locked` finds the claims that still hold and locks their runs, so that nobody can claim one before this is durable; every other part
 * writes only what is among `held`. Rows are filtered rather than joined: they are written in the order of their list without being sorted.
 * A batch of a single claim, which is what one run writes, has it in separate parameters and checks it once instead of once per row. `mark`
 * remembers the number of the batch: if the connection is lost before the answer arrives, the same statement is sent again and writes
 * nothing if the first one did. Empty parts are left out; there are few combinations, and the server keeps each prepared.
 */
import { isText, type Kinds, type Table } from '../table.ts';
import { hasOwner } from '../ownership.ts';
import {
  artifactTable,
  replacedArtifact,
  resourceUseTable,
  replacedResourceUse,
  commonTaskRunTable,
  logTable,
  replacedTaskRun,
  replacedWholeTaskRun,
  resultTable,
  runPatchTable,
  runTable,
  taskRunTable,
  transitionTable,
} from '../tables.ts';

type AnyTable = Pick<Table<never>, 'name' | 'kinds'> & { readonly columns: readonly string[] };

/**
 * The parts of a flush, in the order of their parameters. Each is a JSON list of lists; `patches` end with an object. A batch has one of
 * the three for task runs; `quickTaskRuns` include their transitions.
 */
export const parts = [
  'claims',
  'runs',
  'taskRuns',
  'commonTaskRuns',
  'quickTaskRuns',
  'transitions',
  'patches',
  'results',
  'logs',
  'artifacts',
  'resourceUses',
] as const;
export type Part = (typeof parts)[number];

/** What is listed of a task run whose first attempt begins and completes in one batch; the rest is the same for all of them. */
const quickTable = taskRunTable.part(['id', 'key', 'name', 'item_index', 'started_at', 'ended_at', 'item_hash', 'result']);
const quickKinds: Kinds = { ...quickTable.kinds, begun_at: 'time', completed_at: 'time' };

const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** The writer, the number of its batch and its time, UTC epoch ms. Without an existing row of the writer, nothing is written. */
const mark = `mark as (update flush_marks set batch = $2::bigint, at = $3::bigint where writer = $1 and batch < $2::bigint returning writer)`;
const markPlaces = 3;

/** Inserts the writer `$1` before its batch `$2`. */
export const newMarkText =
  'insert into flush_marks (writer, batch, at) values ($1, $2::bigint - 1, $3::bigint) on conflict (writer) do nothing';

/** Whether this batch has yet to be written. */
const marked = 'exists (select 1 from mark)';

/** A row without run if it was, or could not be; with the number of the last batch, null if the writer has no row. */
const unmarkedText = `select null as "runId", (select batch from flush_marks where writer = $1) as epoch where not ${marked}`;

/** The one claim of a batch, and the owner of all its transitions: parameters instead of columns. */
const only = { id: '$4', epoch: '$5::bigint', owner: '$6', ownerId: '$7::text' };
const onlyPlaces = 4;
const fixed: ReadonlyMap<string, string> = new Map([
  ['run_id', only.id],
  ['owner', only.ownerId],
]);

/** Which columns of a claimed table are in its list. The epoch comes last unless the batch has one claim. */
export function listedKinds({ kinds }: AnyTable, ofOne: boolean): Kinds {
  return ofOne ? Object.fromEntries(Object.entries(kinds).filter(([column]) => !fixed.has(column))) : { ...kinds, claim_epoch: 'integer' };
}

/**
 * Text of a flush of these parts. First come writer, number of the batch and time, then what a batch of one claim has (run, epoch, owner of
 * the claim, owner in the transitions), then one parameter per part.
 *
 * @param ofOne whether all of it is written under one claim; then `claims` is not among the parts
 */
export function flushText(present: readonly Part[], ofOne: boolean): string {
  const first = markPlaces + (ofOne ? onlyPlaces : 0) + 1;
  const places = new Map(present.map((part, position) => [part, position + first]));
  const steps = [mark, ...(ofOne ? [heldStepOfOne] : heldSteps(places))];
  for (const part of present) {
    const place = places.get(part);
    const step = writers[part];
    if (place !== undefined && step !== undefined) steps.push(step(place, ofOne));
  }
  const refused = ofOne ? refusedTextOfOne : places.has('claims') ? refusedText : null;
  return `with ${steps.join(',\n')}\n${refused === null ? unmarkedText : `${refused} union all ${unmarkedText}`}`;
}

/** Names all of its parameters: the server needs the type of each, used or not. */
const heldStepOfOne = `held as materialized (
  select id, epoch, ${only.ownerId} as owner_id from runs where id = ${only.id} and epoch = ${only.epoch} and ${hasOwner(only.owner)} for no key update)`;

const refusedTextOfOne = `select ${only.id} as "runId", ${only.epoch} as epoch where not exists (select 1 from held)`;

/** Runs created in this batch hold by themselves: nobody else knows them. */
function heldSteps(places: ReadonlyMap<Part, number>): string[] {
  const claims = places.get('claims');
  const born = places.get('runs');
  const steps: string[] = [];
  const sources: string[] = [];
  if (claims !== undefined) {
    steps.push(`claimed as materialized (select * from ${list(claims, { id: 'text', epoch: 'integer', owner: 'text' })} as asked)`);
    steps.push(`locked as materialized (
      select runs.id, runs.epoch from runs join claimed on runs.id = claimed.id and runs.epoch = claimed.epoch and ${hasOwner('claimed.owner')}
      order by runs.id for no key update of runs)`);
    sources.push('select id, epoch from locked');
  }
  if (born !== undefined) sources.push(`select value ->> 0 as id, 1 as epoch from jsonb_array_elements($${born}::jsonb)`);
  if (sources.length > 0) steps.push(`held as materialized (${sources.join(' union all ')})`);
  return steps;
}

const refusedText = `select claimed.id as "runId", claimed.epoch from claimed
  where not exists (select 1 from locked where locked.id = claimed.id and locked.epoch = claimed.epoch)`;

const isHeldByOne = 'exists (select 1 from held)';

const replaceTaskRun = (set: string): string => `on conflict (run_id, key) do update set ${set}`;

const writers: Readonly<Partial<Record<Part, (place: number, ofOne: boolean) => string>>> = {
  runs: (place) => {
    const values = runTable.columns.map((column) => (column === 'lease_until' ? `${now} + added.lease_until` : `added.${column}`));
    return `new_runs as (insert into runs (${runTable.list})
      select ${values.join(', ')} from ${list(place, runTable.kinds)} as added where ${marked} on conflict (id) do nothing)`;
  },
  taskRuns: (place, ofOne) => insertClaimed(taskRunTable, place, ofOne, replaceTaskRun(replacedWholeTaskRun)),
  // The omitted columns are null, in the replaced row too.
  commonTaskRuns: (place, ofOne) => insertClaimed(commonTaskRunTable, place, ofOne, replaceTaskRun(replacedTaskRun)),
  quickTaskRuns: (place) => `quick as materialized (select * from ${list(place, quickKinds)} as added where ${isHeldByOne} and ${marked}),
    new_task_runs as (insert into task_runs (run_id, ${quickTable.list}, state_type, state_name, attempt)
      select ${only.id}, ${quickTable.list}, 'COMPLETED', 'Completed', 1 from quick),
    new_transitions as (insert into transitions (run_id, task_run_id, at, type, name, attempt, owner)
      select ${only.id}, id, begun_at, 'RUNNING', 'Running', 1, ${only.ownerId} from quick
      union all select ${only.id}, id, completed_at, 'COMPLETED', 'Completed', 1, ${only.ownerId} from quick)`,
  transitions: (place, ofOne) => insertClaimed(transitionTable, place, ofOne, ''),
  results: (place, ofOne) => insertClaimed(resultTable, place, ofOne, 'on conflict (run_id, key) do nothing'),
  artifacts: (place, ofOne) => insertClaimed(artifactTable, place, ofOne, replacedArtifact),
  resourceUses: (place, ofOne) => insertClaimed(resourceUseTable, place, ofOne, replacedResourceUse),
  logs: (place) => `new_logs as (insert into logs (${logTable.list})
    select ${logTable.list} from ${list(place, logTable.kinds)} as added where ${marked})`,
  patches: (place) => {
    const sets = runPatchTable.columns.map((column) => {
      const value = isText(runPatchTable.kinds[column]) ? `patch ->> '${column}'` : `(patch ->> '${column}')::bigint`;
      return `${column} = case when jsonb_exists(patch, '${column}') then ${value} else runs.${column} end`;
    });
    return `patched as (update runs set ${sets.join(', ')}
      from (select value ->> 0 as id, (value ->> 1)::bigint as epoch, value -> 2 as patch from jsonb_array_elements($${place}::jsonb)) as added
      join held on held.id = added.id and held.epoch = added.epoch cross join mark where runs.id = added.id)`;
  },
};

function insertClaimed(table: AnyTable, place: number, ofOne: boolean, conflict: string): string {
  const isHeld = ofOne ? isHeldByOne : '(added.run_id, added.claim_epoch) in (select id, epoch from held)';
  const values = table.columns.map((column) => (ofOne && fixed.get(column)) || `added.${column}`);
  return `new_${table.name} as (insert into ${table.name} (${table.columns.join(', ')})
    select ${values.join(', ')} from ${list(place, listedKinds(table, ofOne))} as added
    where ${isHeld} and ${marked} ${conflict})`;
}

/** The lists of a parameter as rows, in their order. */
function list(place: number, kinds: Kinds): string {
  const picked = Object.entries(kinds).map(([column, kind], position) => {
    const value = `value ->> ${position}`;
    return `${isText(kind) ? value : `(${value})::bigint`} as ${column}`;
  });
  return `(select ${picked.join(', ')} from jsonb_array_elements($${place}::jsonb) as listed (value))`;
}
