/** Artifacts as lists across runs have them: with their runs, and without long data. */
import type { Database } from '../connection.ts';
import { Params } from '../sql.ts';
import type { ListedArtifact } from '../store.ts';
import { columnsOf } from '../table.ts';
import { artifactOf, type ArtifactRow, artifactTable } from '../tables.ts';

/** Longest data, as JSON, in a list across runs, characters. */
const maxListedChars = 2_000;

const headColumns = ['id', 'run_id', 'task_run_id', 'kind', 'name', 'created_at', 'key', 'ref', 'bytes', 'sha256'] as const;

interface ListedRow extends Omit<ArtifactRow, 'data'> {
  readonly flow: string | null;
  readonly run_name: string | null;
  readonly chars: number;
  readonly data: string | null;
}

/** Rows of these, newest first. */
export async function listedByIds({ query }: Pick<Database, 'query'>, ids: readonly string[], limit: number): Promise<ListedArtifact[]> {
  if (ids.length === 0) return [];
  const params = new Params();
  const listed = ids.map((id) => params.add(id)).join(', ');
  const rows = await query<ListedRow>(
    `select ${columnsOf(artifactTable.part(headColumns))}, runs.flow,
       runs.name as run_name, length(artifacts.data) as chars, case when length(artifacts.data) <= ${maxListedChars} then artifacts.data end as data
     from artifacts left join runs on runs.id = artifacts.run_id
     where artifacts.id in (${listed}) order by artifacts.created_at desc, artifacts.id desc limit ${limit}`,
    params.values,
  );
  return rows.map(listedOf);
}

function listedOf({ flow, run_name, chars, data, ...row }: ListedRow): ListedArtifact {
  return { ...artifactOf({ ...row, data: data ?? 'null' }), flow: flow ?? '', runName: run_name ?? '', chars };
}
