/** Ended runs counted from the runs themselves: for stretches of time that are not, or no longer, summed up. */
import type { Database, Connection } from '../connection.ts';
import { terminalList, Params } from '../sql.ts';
import type { StateType } from '../../model/state.ts';
import { addDurations, rangesPerE } from '../../model/duration-ranges.ts';
import type { EndedRuns, EndedRunsWish, FigureKind, Slots } from './contract.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** How long a run was executed, without waits between its attempts, for a signal, or for a retry by hand. */
const executedText = '(coalesce(runs.executed_ms, 0) + runs.ended_at - coalesce(runs.resumed_at, runs.started_at))';

/** Created at or after, and before. */
export interface Stretch {
  readonly fromAt: number;
  readonly untilAt: number;
}

/** Which runs, apart from when they were created. */
export interface LiveWish extends Pick<EndedRunsWish, 'kind' | 'name' | 'by' | 'countsOnly'> {
  /** Ended at or after. */
  readonly endedFrom?: number;
  /** Ended before. */
  readonly endedUntil?: number;
}

interface LiveRow {
  readonly name: string;
  readonly at: number;
  readonly type: StateType;
  readonly range: number | null;
  readonly runs: number;
  readonly total: number;
}

/** Number of the range of a duration, given as an expression in ms; null if that is null. The same in both databases. */
export function rangeText(ms: string): string {
  return `case when ${ms} is null then null when ${ms} <= 1 then 0
    else cast(floor(ln(cast(${ms} as double precision)) * ${rangesPerE}) as integer) end`;
}

/** SQL for the beginning of the stretch that contains an instant. */
export function slotText(column: string, by: EndedRunsWish['by']): string {
  if (by === 'all') return 'cast(0 as bigint)';
  const { startAt, widthMs } = slotsOf(by);
  return `${column} - (${column} - ${startAt}) % ${widthMs}`;
}

/** Stretches of hours and days. */
export function slotsOf(by: 'hour' | 'day' | Slots): Slots {
  return typeof by === 'object' ? by : { startAt: 0, widthMs: by === 'hour' ? hourMs : dayMs };
}

/** Column that names the figures of a kind. */
const nameColumns: Readonly<Record<FigureKind, string>> = { all: `''`, flow: 'runs.flow', deployment: 'runs.deployment' };

/** Ended runs of these stretches, in no order. */
export async function liveEnded({ dialect, query }: Database, wish: LiveWish, stretches: readonly Stretch[]): Promise<EndedRuns[]> {
  if (stretches.length === 0) return [];
  const params = new Params();
  const parts = stretches.map((stretch) => {
    const conditions = conditionsOf(params, wish, stretch);
    const range = wish.countsOnly ? 'null' : rangeText(executedText);
    const total = wish.countsOnly ? '0' : `coalesce(sum(case when ${executedText} > 0 then ${executedText} else 0 end), 0)`;
    return `select ${nameColumns[wish.kind]} as name, ${slotText('runs.created_at', wish.by)} as at, runs.state_type as type,
      ${range} as range, count(*) as runs, ${total} as total
     from ${sourceOf(dialect, wish)} where ${conditions.join(' and ')} group by 1, 2, 3, 4`;
  });
  const rows = await query<LiveRow>(parts.join(' union all '), params.values);
  return gathered(rows.map((row) => ({ ...row, total: Number(row.total) })));
}

/** SQLite keeps no statistics and would choose an index over states, not over time. */
function sourceOf(dialect: Connection['dialect'], { kind, name, endedFrom }: LiveWish): string {
  if (dialect !== 'sqlite') return 'runs';
  if (endedFrom !== undefined) return 'runs indexed by runs_ended';
  if (name === undefined) return 'runs indexed by runs_created';
  return kind === 'flow' ? 'runs indexed by runs_flow_created' : 'runs indexed by runs_deployment_created';
}

function conditionsOf(params: Params, { kind, name, endedFrom, endedUntil }: LiveWish, { fromAt, untilAt }: Stretch): string[] {
  const conditions = [
    `runs.created_at >= ${params.add(fromAt)}`,
    `runs.created_at < ${params.add(untilAt)}`,
    // If an end time is given, written so that PostgreSQL goes by time: an index over ids holds all ended runs.
    `${endedFrom === undefined ? 'runs.state_type' : "(runs.state_type || '')"} in (${terminalList})`,
    // True of every ended run; selects the index.
    'runs.ended_at is not null',
  ];
  if (kind === 'deployment') conditions.push('runs.deployment is not null');
  if (name !== undefined && kind !== 'all') conditions.push(`${nameColumns[kind]} = ${params.add(name)}`);
  if (endedFrom !== undefined) conditions.push(`runs.ended_at >= ${params.add(endedFrom)}`);
  if (endedUntil !== undefined) conditions.push(`runs.ended_at < ${params.add(endedUntil)}`);
  return conditions;
}

function gathered(rows: readonly LiveRow[]): EndedRuns[] {
  return mergeEnded(
    rows.map(({ name, at, type, range, runs, total }) => ({
      name,
      at,
      type,
      runs,
      timed: range === null ? 0 : runs,
      totalMs: total,
      durations: new Map(range === null ? [] : [[range, runs]]),
    })),
  );
}

/** Merges rows of the same name, time and state. */
export function mergeEnded(rows: readonly EndedRuns[]): EndedRuns[] {
  const merged = new Map<string, { -readonly [Key in keyof EndedRuns]: EndedRuns[Key] } & { durations: Map<number, number> }>();
  for (const row of rows) {
    const key = `${row.type} ${row.at} ${row.name}`;
    const sum = merged.get(key);
    if (sum === undefined) {
      merged.set(key, { ...row, durations: new Map(row.durations) });
      continue;
    }
    sum.runs += row.runs;
    sum.timed += row.timed;
    sum.totalMs += row.totalMs;
    addDurations(sum.durations, row.durations);
  }
  return [...merged.values()];
}
