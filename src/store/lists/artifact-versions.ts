/** Versions of artifacts by key across runs, and one artifact by its id. */
import { isIdPart } from '../../model/ids.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { Connection } from '../connection.ts';
import { endsWithText, endValuesOf } from '../id-part.ts';
import { Params } from '../sql.ts';
import type { ArtifactFilter, ArtifactKey, ArtifactKeyFilter, ArtifactStore, ListedArtifact, Page } from '../store.ts';
import { columnsOf } from '../table.ts';
import { artifactOf, type ArtifactRow, artifactTable } from '../tables.ts';
import { cursorOf, limitOf, pageOf, placeOf } from './cursor.ts';
import { listedByIds } from './listed-artifacts.ts';
import { patternOf } from './run-filter.ts';

/** The versions of a key, newest first. @throws BatutaError FILTER_INVALID */
export async function listVersions({ query }: Connection, key: string, filter: ArtifactFilter): Promise<Page<ListedArtifact>> {
  checkFilter('artifacts', filter);
  const { kind, search, limit: wanted, cursor } = filter;
  const limit = limitOf(wanted, 50, 1000);
  const params = new Params();
  const conditions = [`key = ${params.add(key)}`];
  if (kind !== undefined) conditions.push(`kind = ${params.add(kind)}`);
  if (search !== undefined) conditions.push(`lower(name) like ${params.add(patternOf(search))} escape '\\'`);
  if (cursor !== undefined) {
    const place = placeOf(cursor);
    conditions.push(`(created_at, id) < (${params.add(place.createdAt)}, ${params.add(place.id)})`);
  }
  const rows = await query<{ id: string; at: number }>(
    `select id, created_at as at from artifacts where ${conditions.join(' and ')} order by created_at desc, id desc limit ${limit + 1}`,
    params.values,
  );
  const { items: ids, next } = pageOf(
    rows,
    limit,
    ({ id }) => id,
    ({ id, at }) => ({ createdAt: at, id }),
  );
  return { items: await listedByIds({ query }, ids, limit), next };
}

/** See `ArtifactStore.keys`. */
export async function listKeys({ query }: Connection, filter: ArtifactKeyFilter): Promise<Page<ArtifactKey>> {
  checkFilter('keys of artifacts', filter);
  const limit = limitOf(filter.limit, 50, 200);
  const params = new Params();
  const conditions = ['key is not null'];
  if (filter.search !== undefined) conditions.push(`lower(key) like ${params.add(patternOf(filter.search))} escape '\\'`);
  if (filter.cursor !== undefined) conditions.push(`key > ${params.add(placeOf(filter.cursor).id)}`);
  const rows = await query<{ key: string; versions: number; newest: string }>(
    `select key, versions, (
       select id from artifacts as version where version.key = found.key order by created_at desc, id desc limit 1
     ) as newest
     from (select key, count(*) as versions from artifacts where ${conditions.join(' and ')} group by key order by key limit ${limit + 1}) as found
     order by key`,
    params.values,
  );
  const shown = rows.slice(0, limit);
  const listed = await listedByIds(
    { query },
    shown.map(({ newest }) => newest),
    limit,
  );
  const byId = new Map(listed.map((artifact) => [artifact.id, artifact]));
  const items = shown.flatMap(({ key, versions, newest }) => {
    const artifact = byId.get(newest);
    return artifact === undefined ? [] : [{ key, versions: Number(versions), newest: artifact }];
  });
  const last = shown.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf({ createdAt: 0, id: last.key }) : null };
}

/** See `ArtifactStore.get`. */
export async function findArtifact({ query }: Connection, id: string): ReturnType<ArtifactStore['get']> {
  const read = (condition: string, values: readonly string[]) =>
    query<ArtifactRow & { readonly flow: string | null; readonly run_name: string | null; readonly previous: string | null }>(
      `select ${columnsOf(artifactTable)}, runs.flow, runs.name as run_name, (
         select id from artifacts as earlier where earlier.key = artifacts.key
           and (earlier.created_at, earlier.id) < (artifacts.created_at, artifacts.id) order by created_at desc, id desc limit 1
       ) as previous
       from artifacts left join runs on runs.id = artifacts.run_id where ${condition} limit 2`,
      values,
    );
  let rows = await read('artifacts.id = $1', [id]);
  if (rows.length === 0 && isIdPart(id) && id.length >= 8) {
    rows = await read(endsWithText('artifacts.id', id, ['$1', '$2']), endValuesOf(id));
  }
  const [row, other] = rows;
  if (row === undefined || other !== undefined) return null;
  const { flow, run_name, previous, ...artifact } = row;
  return { ...artifactOf(artifact), flow: flow ?? '', runName: run_name ?? '', previous };
}
