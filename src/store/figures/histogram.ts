/** Runs by state over the time of their creation. */
import { isIdPart } from '../../model/ids.ts';
import { isTerminal, stateNames, stateTypes, type StateType } from '../../model/state.ts';
import { BatutaError } from '../../base/errors.ts';
import type { Connection } from '../connection.ts';
import { openList, runsBy, Params } from '../sql.ts';
import { endsWithText, endValuesOf, idRangeOf } from '../id-part.ts';
import { conditionsOf, pairCondition, patternOf, runsFor, statePairs, timeOf, type StatePair } from '../lists/run-filter.ts';
import { withWholeIds } from '../runs/find.ts';
import type { RunFilter } from '../store.ts';
import type { HistogramBucket, HistogramWish } from './contract.ts';
import { endedRuns } from './ended.ts';
import { dayMs, hourMs } from './live.ts';

const mostBuckets = 500;

interface Counted {
  readonly at: number;
  readonly type: StateType;
  readonly count: number;
}

interface Grid {
  readonly startAt: number;
  readonly widthMs: number;
  readonly count: number;
}

/** See `FigureStore.histogram`. */
export async function histogramOf(connection: Connection, given: RunFilter, wish: HistogramWish): Promise<readonly HistogramBucket[]> {
  checkWish(wish);
  const filter = await withWholeIds(connection, given);
  const fromAt = Math.max(wish.fromAt, filter.since ?? wish.fromAt);
  const untilAt = Math.min(wish.untilAt, filter.until ?? wish.untilAt);
  const types = summableTypes(filter);
  const widthMs = Math.ceil((wish.untilAt - wish.fromAt) / wish.buckets);
  const grid = gridOf(wish, widthMs);
  if (fromAt >= untilAt) return bucketsOf(grid, []);
  const bounded = { ...filter, since: fromAt, until: untilAt };
  return bucketsOf(
    grid,
    await (types !== null && grid.widthMs >= hourMs ? bySums(connection, bounded, types, grid) : byRuns(connection, bounded, grid)),
  );
}

function checkWish({ fromAt, untilAt, buckets }: HistogramWish): void {
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > mostBuckets)
    throw new BatutaError('FILTER_INVALID', `The number of buckets ${buckets} is not a whole number from 1 to ${mostBuckets}.`);
  if (!(fromAt < untilAt)) throw new BatutaError('FILTER_INVALID', 'The start of a histogram must be before its end.');
}

/** Long buckets begin where sums do. */
function gridOf({ fromAt, untilAt }: HistogramWish, wishedMs: number): Grid {
  const unitMs = wishedMs >= dayMs ? dayMs : wishedMs >= hourMs ? hourMs : 1;
  const widthMs = Math.ceil(wishedMs / unitMs) * unitMs;
  const startAt = Math.floor(fromAt / unitMs) * unitMs;
  return { startAt, widthMs, count: Math.ceil((untilAt - startAt) / widthMs) };
}

function bucketsOf({ startAt, widthMs, count }: Grid, counted: readonly Counted[]): HistogramBucket[] {
  const buckets = Array.from({ length: count }, (_, index) => ({
    startAt: startAt + index * widthMs,
    counts: {} as Partial<Record<StateType, number>>,
  }));
  for (const { at, type, count: runs } of counted) {
    const bucket = buckets[Math.floor((at - startAt) / widthMs)] ?? buckets[0];
    if (bucket !== undefined) bucket.counts[type] = (bucket.counts[type] ?? 0) + runs;
  }
  return buckets;
}

/** Types of a filter that the sums can tell apart; null if it asks for more than they know. */
function summableTypes({
  flow,
  deployment,
  states,
  tag,
  queue,
  backfillId,
  scheduleId,
  search,
  parentRunId,
}: RunFilter): ReadonlySet<StateType> | null {
  if (flow !== undefined && deployment !== undefined) return null;
  if ([tag, queue, backfillId, scheduleId, search, parentRunId].some((value) => value !== undefined)) return null;
  const pairs = statePairs(states);
  if (pairs === null) return new Set(stateTypes);
  const types = stateTypes.filter((type) => pairs.some((pair) => pair.type === type));
  const isWhole = types.every((type) => pairs.filter((pair) => pair.type === type).length === stateNames[type].length);
  return isWhole ? new Set(types) : null;
}

async function bySums(
  connection: Connection,
  filter: RunFilter & { readonly since: number; readonly until: number },
  types: ReadonlySet<StateType>,
  { startAt, widthMs }: Grid,
): Promise<Counted[]> {
  const { flow, deployment, since, until } = filter;
  const name = deployment ?? flow;
  const kind = deployment !== undefined ? 'deployment' : flow !== undefined ? 'flow' : 'all';
  const ended = [...types].some(isTerminal)
    ? await endedRuns(connection, {
        kind,
        ...(name === undefined ? {} : { name }),
        fromAt: since,
        untilAt: until,
        by: { startAt, widthMs },
        countsOnly: true,
      })
    : [];
  const open = [...types].some((type) => !isTerminal(type)) ? await openByHour(connection, filter) : [];
  return [...ended.map(({ at, type, runs }) => ({ at, type, count: runs })), ...open].filter(({ type }) => types.has(type));
}

function openByHour(connection: Connection, { states: _states, cursor: _cursor, ...filter }: RunFilter): Promise<Counted[]> {
  const params = new Params();
  return connection.query<Counted>(
    `select runs.created_at - runs.created_at % ${hourMs} as at, runs.state_type as type, count(*) as count
     from ${runsBy(connection, 'runs_state')} where runs.state_type in (${openList}) and ${conditionsOf(params, filter).join(' and ')}
     group by 1, 2`,
    params.values,
  );
}

/** Reads every run that fits. */
async function byRuns(connection: Connection, { cursor: _cursor, ...filter }: RunFilter, { startAt, widthMs }: Grid): Promise<Counted[]> {
  const params = new Params();
  const pairs: readonly (StatePair | null)[] = statePairs(filter.states) ?? [null];
  if (pairs.length === 0) return [];
  const time = timeOf(filter);
  const slot = `${time} - (${time} - ${params.add(startAt)}) % ${params.add(widthMs)}`;
  const parts = pairs.map((pair) => {
    const conditions = [
      ...conditionsOf(params, filter),
      ...searchCondition(params, filter),
      ...(pair === null ? [] : pairCondition(params, pair)),
    ];
    return `select ${slot} as at, runs.state_type as type, count(*) as count
      from ${runsFor(connection.dialect, filter, pair)} where ${conditions.join(' and ')} group by 1, 2`;
  });
  return await connection.query<Counted>(parts.join(' union all '), params.values);
}

function searchCondition(params: Params, { search }: RunFilter): string[] {
  if (search === undefined) return [];
  const fits = [`lower(runs.name) like ${params.add(patternOf(search))} escape '\\'`];
  if (isIdPart(search)) {
    const { from, to } = idRangeOf(search);
    const [last, end] = endValuesOf(search);
    fits.push(`(runs.id >= ${params.add(from)} and runs.id < ${params.add(to)})`);
    fits.push(`(${endsWithText('runs.id', search, [params.add(last), params.add(end)])})`);
  }
  return [`(${fits.join(' or ')})`];
}
