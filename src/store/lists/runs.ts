/**
 * Lists of runs, newest first, in pages that continue where the last one ended.
 *
 * Filters that an index serves are queried directly. The others (a search, a queue, anything in addition to a tag) are applied to the
 * newest runs that fit the rest, 10,000 per page: a page then says where to continue even if it found nothing.
 */
import { pageOf, cursorOf, limitOf, type Place } from './cursor.ts';
import { listOf, Params } from '../sql.ts';
import { endingRunsText, endsWithText, endValuesOf, idRangeOf } from '../id-part.ts';
import { conditionsOf, idOf, pairCondition, patternOf, runsFor, statePairs, timeOf, type StatePair } from './run-filter.ts';
import { isIdPart } from '../../model/ids.ts';
import type { Run } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { runOf, type RunRow, runTable } from '../tables.ts';
import type { Page, RunFilter } from '../store.ts';

/** Most runs that one page scans; each found by its tag costs twice as much. */
const windowRuns = 10_000;
const windowTagged = 2_000;
/** How many are scanned first, and the growth factor while too few are found. */
const firstWindow = 500;
const windowGrowth = 3;
/** Shortest search that, if it matches an id, is not searched for in names: 65 seconds of ids share such a beginning. */
const minIdChars = 8;
/** Most runs listed because their ids end with the search. */
const mostByEnd = 50;

/** What a filter may ask for beyond what an index serves. */
const lookedColumns = [
  'name',
  'queue',
  'flow',
  'deployment',
  'parent_run_id',
  'backfill_id',
  'schedule_id',
  'state_type',
  'state_name',
] as const satisfies readonly (keyof RunRow)[];

type Left = Readonly<Partial<Record<keyof RunRow, string>>>;

function columnsBut(left: Left): string {
  return runTable.columns.map((column) => (left[column] === undefined ? `runs.${column}` : `${left[column]} as ${column}`)).join(', ');
}

/**
 * See `RunStore.list`.
 *
 * @param left SQL that replaces columns that are not read
 * @throws BatutaError FILTER_INVALID
 */
export async function listRuns(connection: Connection, filter: RunFilter, left: Left = {}): Promise<Page<Run>> {
  const columns = columnsBut(left);
  const limit = limitOf(filter.limit, 50, 1000);
  const { search, cursor } = filter;
  if (search === undefined || !isIdPart(search))
    return await (isServed(filter) ? listByIndex : listByWindow)(connection, columns, filter, limit);
  if (search.length >= minIdChars) {
    if (await beginsOne(connection, search)) return await listByIndex(connection, columns, filter, limit, beginning);
    if (await endsOne(connection, search)) return await listByEnd(connection, columns, filter, limit);
  }
  // An id ending is searched for among all runs, however old: people have read it somewhere.
  const ended =
    cursor === undefined && limit > 1 ? (await listByEnd(connection, columns, filter, Math.min(mostByEnd, limit - 1))).items : [];
  const { items, next } = await listByWindow(connection, columns, filter, limit - ended.length);
  return { items: [...ended, ...items].sort(newestFirst), next };
}

/** Whether an index holds what fits the filter, newest last. */
function isServed({ search, queue, pinned, tag, ...filter }: RunFilter): boolean {
  if ([search, queue, pinned].some((value) => value !== undefined)) return false;
  const { flow, deployment, states, parentRunId, backfillId, scheduleId } = filter;
  return tag === undefined || [flow, deployment, states, parentRunId, backfillId, scheduleId].every((value) => value === undefined);
}

async function listByIndex(
  connection: Connection,
  columns: string,
  filter: RunFilter,
  limit: number,
  search: Search = nothing,
): Promise<Page<Run>> {
  const params = new Params();
  const text = newestText(connection, params, filter, { select: columns, limit: limit + 1, search });
  return runPageOf(await connection.query<RunRow>(text, params.values), limit);
}

/** The few with such id endings are found first, then filtered by the rest. */
async function listByEnd(connection: Connection, columns: string, filter: RunFilter, limit: number): Promise<Page<Run>> {
  const params = new Params();
  const ended = endedText(connection, params, filter.search ?? '');
  const conditions = [
    '1 = 1',
    ...conditionsOf(params, filter),
    ...statesCondition(params, filter),
    ...(filter.tag === undefined ? [] : ['run_tags.created_at = runs.created_at']),
  ];
  const tags = filter.tag === undefined ? '' : 'cross join run_tags';
  const rows = await connection.query<RunRow>(
    `with ended as materialized (${ended}) select ${columns} from ended cross join runs ${tags}
     where runs.id = ended.id and ${conditions.join(' and ')} order by runs.created_at desc, runs.id desc limit ${limit + 1}`,
    params.values,
  );
  return runPageOf(rows, limit);
}

function runPageOf(rows: readonly RunRow[], limit: number): Page<Run> {
  return pageOf(rows, limit, runOf, ({ created_at: createdAt, id }) => ({ createdAt, id }));
}

/** Scans more and more runs until the page is full, the window is used up, or there are no more. */
async function listByWindow(connection: Connection, columns: string, filter: RunFilter, limit: number): Promise<Page<Run>> {
  const found: Place[] = [];
  let { cursor } = filter;
  let left = filter.tag === undefined ? windowRuns : windowTagged;
  for (let size = firstWindow; left > 0 && found.length <= limit; size *= windowGrowth) {
    const rows = Math.min(size, left);
    const part = await searchWindow(connection, { ...filter, ...(cursor === undefined ? {} : { cursor }) }, rows, limit + 1 - found.length);
    found.push(...part.found);
    left -= rows;
    cursor = part.end === null ? undefined : cursorOf(part.end);
    if (cursor === undefined) break;
  }
  const wanted = found.slice(0, limit);
  const items = await runsByIds(connection, columns, wanted);
  const last = wanted.at(-1);
  const more = found.length > limit && last !== undefined ? cursorOf(last) : cursor;
  return { items, next: more ?? null };
}

interface WindowPart {
  readonly found: readonly Place[];
  /** Where the window ended; null if there are no more runs. */
  readonly end: Place | null;
}

/** Only narrow columns are scanned; the result then stands in for the table of runs. */
async function searchWindow(connection: Connection, filter: RunFilter, rows: number, most: number): Promise<WindowPart> {
  const params = new Params();
  const { served, rest } = partsOf(filter);
  const narrow = lookedColumns.map((column) => `runs.${column}`).join(', ');
  const select = `${idOf(filter)} as id, ${timeOf(filter)} as created_at, ${narrow}`;
  const looked = newestText(connection, params, served, { select, limit: rows, search: nothing });
  const conditions = ['1 = 1', ...conditionsOf(params, rest), ...statesCondition(params, rest), ...searchCondition(params, rest)];
  const order = 'order by created_at desc, id desc';
  const found = await connection.query<{ what: string; id: string; at: number }>(
    `with looked as (${looked})
     select 'found' as what, id, created_at as at from (select * from looked as runs where ${conditions.join(' and ')} ${order} limit ${most}) as fitting
     union all select 'end' as what, id, created_at as at from (select * from looked order by created_at, id limit 1) as oldest
     union all select 'count' as what, '' as id, count(*) as at from looked`,
    params.values,
  );
  const places = (what: string): Place[] => found.filter((row) => row.what === what).map(({ id, at }) => ({ createdAt: at, id }));
  const isFull = (places('count')[0]?.createdAt ?? 0) >= rows;
  return { found: places('found').sort(newestFirst), end: isFull ? (places('end')[0] ?? null) : null };
}

/** The part of a filter that an index serves, and the rest. */
function partsOf({ queue, search, pinned, ...filter }: RunFilter): { readonly served: RunFilter; readonly rest: RunFilter } {
  const unserved = {
    ...(queue === undefined ? {} : { queue }),
    ...(search === undefined ? {} : { search }),
    ...(pinned === undefined ? {} : { pinned }),
  };
  if (filter.tag === undefined) return { served: filter, rest: unserved };
  const { tag, since, until, cursor, ...beside } = filter;
  const served = { tag, ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  return { served: { ...served, ...(cursor === undefined ? {} : { cursor }) }, rest: { ...beside, ...unserved } };
}

function statesCondition(params: Params, { states }: RunFilter): string[] {
  const pairs = statePairs(states);
  if (pairs === null) return [];
  const either = pairs.map((pair) => `(${pairCondition(params, pair).join(' and ')})`);
  return [either.length === 0 ? '1 = 0' : `(${either.join(' or ')})`];
}

function searchCondition(params: Params, { search }: RunFilter): string[] {
  if (search === undefined) return [];
  const pattern = patternOf(search);
  const fits = `(lower(runs.name) like ${params.add(pattern)} escape '\\' or runs.id like ${params.add(pattern.slice(1))} escape '\\')`;
  // Matches by id ending come with the first page.
  if (!isIdPart(search)) return [fits];
  const [last, end] = endValuesOf(search);
  return [fits, `not (${endsWithText('runs.id', search, [params.add(last), params.add(end)])})`];
}

function newestFirst(left: Pick<Place, 'createdAt' | 'id'>, right: Pick<Place, 'createdAt' | 'id'>): number {
  if (left.createdAt !== right.createdAt) return right.createdAt - left.createdAt;
  return left.id < right.id ? 1 : -1;
}

async function runsByIds({ query, fragments }: Connection, columns: string, places: readonly Place[]): Promise<Run[]> {
  if (places.length === 0) return [];
  const rows = await query<RunRow>(
    `select ${columns} from ${fragments.list(1, { wanted_id: 'text' })} as wanted join runs on runs.id = wanted.wanted_id`,
    [listOf(places.map(({ id }) => id))],
  );
  const byId = new Map(rows.map((row) => [row.id, runOf(row)]));
  return places.flatMap(({ id }) => byId.get(id) ?? []);
}

interface Newest {
  readonly select: string;
  readonly limit: number;
  readonly search: Search;
}

/** Conditions of a search that an index serves. */
type Search = (params: Params, filter: RunFilter) => string[];

/** The newest runs of a filter: one query per state, each stopping early, merged in order. */
function newestText(connection: Connection, params: Params, filter: RunFilter, { select, limit, search }: Newest): string {
  const pairs: readonly (StatePair | null)[] = statePairs(filter.states) ?? [null];
  const branch = (pair: StatePair | null): string => {
    const conditions = [...conditionsOf(params, filter), ...search(params, filter), ...(pair === null ? [] : pairCondition(params, pair))];
    const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
    const order = `order by ${timeOf(filter)} desc, ${idOf(filter)} desc limit ${limit}`;
    return `select ${select} from ${runsFor(connection.dialect, filter, pair)} ${where} ${order}`;
  };
  const [only, ...others] = pairs;
  // Unknown states fit no run.
  if (only === undefined) return `select ${select} from ${runsFor(connection.dialect, filter, null)} where 1 = 0`;
  if (others.length === 0) return branch(only);
  const parts = pairs.map((pair, index) => `select * from (${branch(pair)}) as part${index}`);
  return `select * from (${parts.join(' union all ')}) as parts order by created_at desc, id desc limit ${limit}`;
}

function nothing(): string[] {
  return [];
}

function beginning(params: Params, { search = '' }: RunFilter): string[] {
  const { from, to } = idRangeOf(search);
  return [`runs.id >= ${params.add(from)}`, `runs.id < ${params.add(to)}`];
}

async function beginsOne({ query }: Connection, search: string): Promise<boolean> {
  const params = new Params();
  return (
    (await query(`select 1 as found from runs where ${beginning(params, { search }).join(' and ')} limit 1`, params.values)).length > 0
  );
}

async function endsOne(connection: Connection, search: string): Promise<boolean> {
  const params = new Params();
  return (await connection.query(`${endedText(connection, params, search)} limit 1`, params.values)).length > 0;
}

function endedText(connection: Connection, params: Params, search: string): string {
  const [last, end] = endValuesOf(search);
  return endingRunsText(connection, search, [params.add(last), params.add(end)]);
}
