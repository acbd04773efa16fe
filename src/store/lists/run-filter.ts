/**
 * What a filter of runs means in SQL.
 *
 * States become pairs of type and name, one query each: the runs of every pair form one stretch of an index, newest last, whereas a
 * database asked for several at once would sort them all.
 */
import { stateNames, stateTypes, type StateName, type StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import type { RunFilter } from '../store.ts';
import type { Params } from '../sql.ts';
import { placeOf } from './cursor.ts';

/** A state as in the index over states. */
export interface StatePair {
  readonly type: StateType;
  readonly name: StateName;
}

const allPairs: readonly StatePair[] = stateTypes.flatMap((type) => stateNames[type].map((name) => ({ type, name })));

/** The states meant by words as in `stateWords`, in any case; null if that is all of them. Unknown words are ignored. */
export function statePairs(states: readonly string[] | undefined): readonly StatePair[] | null {
  if (states === undefined || states.length === 0) return null;
  const wanted = new Set(states.map((state) => state.toLowerCase()));
  const pairs = allPairs.filter(({ type, name }) => [type, name, `${type}/${name}`].some((word) => wanted.has(word.toLowerCase())));
  return pairs.length === allPairs.length ? null : pairs;
}

/**
 * The table of runs for a filter and one of its pairs, with the index that serves them: SQLite keeps no statistics and would take the one
 * with the most columns.
 */
export function runsFor(dialect: Connection['dialect'], filter: RunFilter, pair: StatePair | null): string {
  if (filter.tag !== undefined)
    return dialect === 'sqlite' ? 'run_tags cross join runs' : 'run_tags join runs on runs.id = run_tags.run_id';
  if (dialect !== 'sqlite' || pair === null) return 'runs';
  if (typeof filter.parentRunId === 'string' || filter.backfillId !== undefined) return 'runs';
  if (filter.deployment !== undefined) return 'runs indexed by runs_deployment_created';
  if (filter.flow !== undefined && pair.type === 'COMPLETED') return 'runs indexed by runs_flow_created';
  return 'runs indexed by runs_state';
}

/** Conditions of a filter, except its states and its search. Lists are ordered by `timeOf(filter)` and `idOf(filter)`. */
export function conditionsOf(params: Params, filter: RunFilter): string[] {
  const { flow, deployment, tag, since, until, queue, backfillId, scheduleId, parentRunId, pinned, cursor } = filter;
  const [time, id] = [timeOf(filter), idOf(filter)];
  const conditions: string[] = [];
  if (tag !== undefined) conditions.push(`run_tags.tag = ${params.add(tag)}`, 'runs.id = run_tags.run_id');
  if (flow !== undefined) conditions.push(`runs.flow = ${params.add(flow)}`);
  if (deployment !== undefined) conditions.push(`runs.deployment = ${params.add(deployment)}`);
  if (since !== undefined) conditions.push(`${time} >= ${params.add(since)}`);
  if (until !== undefined) conditions.push(`${time} < ${params.add(until)}`);
  if (queue !== undefined) conditions.push(`runs.queue = ${params.add(queue)}`);
  if (backfillId !== undefined) conditions.push(`runs.backfill_id = ${params.add(backfillId)}`);
  if (scheduleId !== undefined) conditions.push(`runs.schedule_id = ${params.add(scheduleId)}`);
  if (parentRunId === null) conditions.push('runs.parent_run_id is null');
  else if (parentRunId !== undefined) conditions.push(`runs.parent_run_id = ${params.add(parentRunId)}`);
  if (pinned !== undefined) {
    const version = pinned === 'any' ? '' : ` and run_pins.version = ${params.add(pinned)}`;
    conditions.push(`exists (select 1 from run_pins where run_pins.run_id = runs.id${version})`);
  }
  if (cursor !== undefined) {
    const place = placeOf(cursor);
    conditions.push(`(${time}, ${id}) < (${params.add(place.createdAt)}, ${params.add(place.id)})`);
  }
  return conditions;
}

/** Column of the creation time in the index of the filter. */
export function timeOf({ tag }: RunFilter): string {
  return tag === undefined ? 'runs.created_at' : 'run_tags.created_at';
}

/** Column of the id, likewise. */
export function idOf({ tag }: RunFilter): string {
  return tag === undefined ? 'runs.id' : 'run_tags.run_id';
}

/** Condition of one state. */
export function pairCondition(params: Params, { type, name }: StatePair): string[] {
  return [`runs.state_type = ${params.add(type)}`, `runs.state_name = ${params.add(name)}`];
}

/** A pattern for `like … escape '\'` that finds a text anywhere, letters a to z in any case. */
export function patternOf(search: string): string {
  return `%${lowered(search).replace(/[\\%_]/g, (letter) => `\\${letter}`)}%`;
}

/** Lowercases a to z as both databases do; all others stay. */
export function lowered(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
