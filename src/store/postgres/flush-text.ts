/**
 * The one statement that writes a batch of the recorder into PostgreSQL: one round trip, one transaction.
 *
 * `locked` finds the claims that still hold and locks their runs, so that nobody can claim one before this is durable;
 * every other part writes only what is among `held`. Rows are filtered rather than joined: they are written in the order of their
 * list without being sorted. A batch of a single claim, which is what one run writes, asks for it once instead of once a row.
 * `mark` remembers the number of the batch: when the connection is lost
 * before the answer came, the same statement is sent again and writes nothing if the first one did. Parts that have
 * nothing to write are left out; there are few combinations, and the server keeps each prepared.
 */
import { hasOwner } from '../ownership.ts';
import { integerColumns, artifactColumns, logColumns, resultColumns, runColumns, taskRunColumns, transitionColumns } from '../tables.ts';

/** The parts of a flush, in the order of their parameters. Each is a JSON list of lists; `patches` end with an object. */
export const parts = ['claims', 'runs', 'taskRuns', 'transitions', 'patches', 'results', 'logs', 'artifacts'] as const;
export type Part = (typeof parts)[number];

/** Columns that a patch may set; one that is no key of its object stays as it is. */
const patchColumns = [
  'state_type',
  'state_name',
  'state_message',
  'name',
  'flow_version',
  'attempt',
  'due_at',
  'started_at',
  'ended_at',
  'result_ref',
  'result',
  'error',
] as const;

const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

const mark = `mark as (
  insert into flush_marks (writer, batch, at) values ($1, $2, ${now})
  on conflict (writer) do update set batch = excluded.batch, at = excluded.at where flush_marks.batch < excluded.batch
  returning writer)`;

/** Whether this batch was not written before. */
const marked = 'exists (select 1 from mark)';

/**
 * Text of a flush of these parts. `$1` is the writer, `$2` the number of its batch, then one parameter per part.
 *
 * @param ofOne whether all of it is written under one claim
 */
export function flushText(present: readonly Part[], ofOne: boolean): string {
  const places = new Map(present.map((part, position) => [part, position + 3]));
  const steps = [mark, ...(ofOne ? [heldStepOfOne] : heldSteps(places))];
  for (const part of present) {
    const place = places.get(part);
    const step = writers[part];
    if (place !== undefined && step !== undefined) steps.push(step(place, ofOne));
  }
  return `with ${steps.join(',\n')}\n${ofOne ? refusedTextOfOne : refusedText(places)}`;
}

/** The claims come first, so that theirs is the third parameter. */
const only = { id: '($3::jsonb -> 0 ->> 0)', epoch: '($3::jsonb -> 0 ->> 1)::bigint', owner: '($3::jsonb -> 0 ->> 2)' };

const heldStepOfOne = `held as materialized (
  select id, epoch from runs where id = ${only.id} and epoch = ${only.epoch} and ${hasOwner(only.owner)} for no key update)`;

const refusedTextOfOne = `select ${only.id} as "runId", ${only.epoch} as epoch where not exists (select 1 from held)`;

/** Runs born in this batch hold by themselves: nobody else knows them. */
function heldSteps(places: ReadonlyMap<Part, number>): string[] {
  const claims = places.get('claims');
  const born = places.get('runs');
  const steps: string[] = [];
  const sources: string[] = [];
  if (claims !== undefined) {
    steps.push(`claimed as materialized (select * from ${list(claims, ['id', 'epoch', 'owner'])} as asked)`);
    steps.push(`locked as materialized (
      select runs.id, runs.epoch from runs join claimed on runs.id = claimed.id and runs.epoch = claimed.epoch and ${hasOwner('claimed.owner')}
      order by runs.id for no key update of runs)`);
    sources.push('select id, epoch from locked');
  }
  if (born !== undefined) sources.push(`select value ->> 0 as id, 1 as epoch from jsonb_array_elements($${born}::jsonb)`);
  if (sources.length > 0) steps.push(`held as materialized (${sources.join(' union all ')})`);
  return steps;
}

function refusedText(places: ReadonlyMap<Part, number>): string {
  return places.has('claims')
    ? 'select claimed.id as "runId", claimed.epoch from claimed where not exists (select 1 from locked where locked.id = claimed.id and locked.epoch = claimed.epoch)'
    : `select null as "runId", 0 as epoch where false`;
}

const writers: Readonly<Partial<Record<Part, (place: number, ofOne: boolean) => string>>> = {
  runs: (place) => {
    const values = runColumns.map((column) => (column === 'lease_until' ? `${now} + added.lease_until` : `added.${column}`));
    return `new_runs as (insert into runs (${runColumns.join(', ')})
      select ${values.join(', ')} from ${list(place, runColumns)} as added where ${marked} on conflict (id) do nothing)`;
  },
  taskRuns: (place, ofOne) => {
    const updates = taskRunColumns.slice(3).map((column) => `${column} = excluded.${column}`);
    return insertClaimed('task_runs', taskRunColumns, place, ofOne, `on conflict (run_id, key) do update set ${updates.join(', ')}`);
  },
  transitions: (place, ofOne) => insertClaimed('transitions', transitionColumns, place, ofOne, ''),
  results: (place, ofOne) => insertClaimed('results', resultColumns, place, ofOne, 'on conflict (run_id, key) do nothing'),
  artifacts: (place, ofOne) => insertClaimed('artifacts', artifactColumns, place, ofOne, 'on conflict (id) do nothing'),
  logs: (place) => `new_logs as (insert into logs (${logColumns.join(', ')})
    select ${logColumns.join(', ')} from ${list(place, logColumns)} as added where ${marked})`,
  patches: (place) => {
    const sets = patchColumns.map((column) => {
      const value = integerColumns.has(column) ? `(patch ->> '${column}')::bigint` : `patch ->> '${column}'`;
      return `${column} = case when jsonb_exists(patch, '${column}') then ${value} else runs.${column} end`;
    });
    return `patched as (update runs set ${sets.join(', ')}
      from (select value ->> 0 as id, (value ->> 1)::bigint as epoch, value -> 2 as patch from jsonb_array_elements($${place}::jsonb)) as added
      join held on held.id = added.id and held.epoch = added.epoch cross join mark where runs.id = added.id)`;
  },
};

/** Rows of claims: the epoch stands behind the columns. */
function insertClaimed(table: string, columns: readonly string[], place: number, ofOne: boolean, conflict: string): string {
  const isHeld = ofOne ? 'exists (select 1 from held)' : '(added.run_id, added.claim_epoch) in (select id, epoch from held)';
  return `new_${table} as (insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => `added.${column}`).join(', ')} from ${list(place, ofOne ? columns : [...columns, 'claim_epoch'])} as added
    where ${isHeld} and ${marked} ${conflict})`;
}

/** The lists of a parameter as rows, in their order. */
function list(place: number, columns: readonly string[]): string {
  const picked = columns.map((column, position) => {
    const value = `value ->> ${position}`;
    return `${integerColumns.has(column) || column === 'claim_epoch' ? `(${value})::bigint` : value} as ${column}`;
  });
  return `(select ${picked.join(', ')} from jsonb_array_elements($${place}::jsonb) as listed (value))`;
}
