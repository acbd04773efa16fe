/** Sub-flows whose caller has ended without cancelling them: its process, or whoever ended it, died in between. */
import { isReported } from '../../model/report.ts';
import type { Connection } from '../connection.ts';
import { readOwner } from '../read-json.ts';
import { openList, runsBy, terminalList } from '../sql.ts';
import type { FleetStore, OrphanPage } from './contract.ts';

interface Row {
  readonly parent_run_id: string;
  readonly id: string;
  readonly owner: string | null;
  readonly is_orphan: number;
}

/** See `FleetStore.orphans`. */
export async function findOrphans(
  connection: Connection,
  { after, graceMs, limit }: Parameters<FleetStore['orphans']>[0],
): Promise<OrphanPage> {
  const rows = await connection.query<Row>(
    `select child.parent_run_id, child.id, child.owner,
       case when child.state_type <> 'CANCELLING' and caller.state_type in (${terminalList})
         and caller.ended_at <= ${connection.fragments.now(1)} - $2
         and not exists (select 1 from rollbacks where run_id = child.id and stage = 'begun')
         and not exists (select 1 from transitions where run_id = child.id and task_run_id is null and type in (${terminalList}))
         then 1 else 0 end as is_orphan
     from (select parent_run_id, id, owner, state_type from ${runsBy(connection, 'runs_open_children')}
       where parent_run_id is not null and state_type in (${openList}) and (parent_run_id, id) > ($3, $4)
       order by parent_run_id, id limit $5) as child
     left join runs as caller on caller.id = child.parent_run_id
     order by child.parent_run_id, child.id`,
    [connection.now(), graceMs, after?.parentRunId ?? '', after?.id ?? '', limit],
  );
  const places = rows.map((row) => ({ parentRunId: row.parent_run_id, id: row.id }));
  return {
    orphans: places.filter((_, at) => rows[at]?.is_orphan === 1 && !isReported(readOwner(rows[at].owner))),
    last: rows.length < limit ? null : (places.at(-1) ?? null),
  };
}
