/** What tasks show: tables, Markdown, links. */
import type { Connection } from '../connection.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { Artifact } from '../../model/run.ts';
import { artifactOf, artifactTable, type ArtifactRow } from '../tables.ts';
import type { ArtifactFilter, ArtifactStore, ListedArtifact, Page } from '../store.ts';
import { findArtifact, listKeys, listVersions } from './artifact-versions.ts';
import { cursorOf, limitOf, placeOf } from './cursor.ts';
import { listedByIds } from './listed-artifacts.ts';
import { fittingLines } from './logs.ts';
import { Params, selectAll } from '../sql.ts';
import { patternOf } from './run-filter.ts';

/** Largest data that a page of a run shows, and most that it holds in total, bytes. */
const maxShownBytes = 8 * 1024 * 1024;
const pageBytes = 4 * 1024 * 1024;
const shownData = `case when octet_length(data) <= ${maxShownBytes} then data else '{"cut":{"bytes":' || octet_length(data) || '}}' end as data`;
/** Most artifacts that one page scans. */
const windowArtifacts = 10_000;

/** Artifacts of a run oldest first, lists across runs newest first. */
export function artifactStore(connection: Connection): ArtifactStore {
  return {
    ofRun: (runId) => selectAll(connection, artifactTable, 'where run_id = $1 order by created_at, id', [runId]),
    pageOfRun: (runId, filter = {}) => pageOfRun(connection, runId, filter),
    list: (filter = {}) => (filter.key === undefined ? listArtifacts(connection, filter) : listVersions(connection, filter.key, filter)),
    keys: (filter = {}) => listKeys(connection, filter),
    get: (id) => findArtifact(connection, id),
    has: async (id) => (await connection.query('select 1 as found from artifacts where id = $1', [id])).length > 0,
  };
}

/** Reads the sizes, then as many as fit. */
async function pageOfRun(
  { query }: Connection,
  runId: string,
  filter: Parameters<ArtifactStore['pageOfRun']>[1] & object,
): Promise<Page<Artifact>> {
  const limit = limitOf(filter.limit, 200, 1000);
  const params = new Params();
  const conditions = [`run_id = ${params.add(runId)}`];
  if (filter.kind !== undefined) conditions.push(`kind = ${params.add(filter.kind)}`);
  if (filter.cursor !== undefined) {
    const place = placeOf(filter.cursor);
    conditions.push(`(created_at, id) > (${params.add(place.createdAt)}, ${params.add(place.id)})`);
  }
  const sizes = await query<{ readonly id: string; readonly at: number; readonly bytes: number }>(
    `select id, created_at as at, case when octet_length(data) <= ${maxShownBytes} then octet_length(data) else 0 end as bytes
     from artifacts where ${conditions.join(' and ')} order by created_at, id limit ${limit + 1}`,
    params.values,
  );
  const shown = sizes.slice(0, Math.min(limit, fittingLines(sizes, pageBytes)));
  const last = shown.at(-1);
  if (last === undefined) return { items: [], next: null };
  const own = new Params();
  const listed = shown.map(({ id }) => own.add(id)).join(', ');
  const columns = artifactTable.columns.map((column) => (column === 'data' ? shownData : column)).join(', ');
  const rows = await query<ArtifactRow>(`select ${columns} from artifacts where id in (${listed}) order by created_at, id`, own.values);
  return { items: rows.map(artifactOf), next: shown.length < sizes.length ? cursorOf({ createdAt: last.at, id: last.id }) : null };
}

/** Scans a stretch of artifacts, so that a rare match does not make it read them all. */
async function listArtifacts({ query }: Connection, filter: ArtifactFilter): Promise<Page<ListedArtifact>> {
  checkFilter('artifacts', filter);
  const { kind, search, limit: wanted, cursor } = filter;
  const limit = limitOf(wanted, 50, 1000);
  const params = new Params();
  const place = cursor === undefined ? null : placeOf(cursor);
  const after = place === null ? '' : `where (created_at, id) < (${params.add(place.createdAt)}, ${params.add(place.id)})`;
  const order = 'order by created_at desc, id desc';
  const conditions = ['1 = 1'];
  if (kind !== undefined) conditions.push(`kind = ${params.add(kind)}`);
  if (search !== undefined) conditions.push(`lower(name) like ${params.add(patternOf(search))} escape '\\'`);
  const isPlain = kind === undefined && search === undefined;
  const rows = isPlain ? limit + 1 : windowArtifacts;
  const looked = `select id, created_at, kind, name from artifacts ${after} ${order} limit ${rows}`;
  const found = await query<{ what: string; id: string; at: number }>(
    `with looked as (${looked})
     select 'found' as what, id, created_at as at from (select * from looked where ${conditions.join(' and ')} ${order} limit ${limit + 1}) as fitting
     union all select 'end' as what, id, created_at as at from (select * from looked order by created_at, id limit 1) as oldest
     union all select 'count' as what, '' as id, count(*) as at from looked`,
    params.values,
  );
  const fitting = found.filter(({ what }) => what === 'found');
  const items = await listedByIds(
    { query },
    fitting.map(({ id }) => id),
    limit,
  );
  const last = items.at(-1);
  if (fitting.length > limit && last !== undefined) return { items, next: cursorOf(last) };
  const end = found.find(({ what }) => what === 'end');
  const isFull = !isPlain && (found.find(({ what }) => what === 'count')?.at ?? 0) >= rows;
  return { items, next: isFull && end !== undefined ? cursorOf({ createdAt: end.at, id: end.id }) : null };
}
