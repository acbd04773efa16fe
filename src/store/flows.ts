/** Flows as they were last seen. */
import type { Connection } from './connection.ts';
import type { FlowStore } from './store.ts';
import { type RowOf, insertText, replacedBy } from './table.ts';
import { flowTable } from './tables.ts';

const differs = flowTable.columns.filter((column) => column !== 'name' && column !== 'updated_at');
/** `updated_at` alone is no change: a flow that is the same stays as it was. */
const putText = `${insertText(flowTable)} on conflict (name) do update set ${replacedBy(flowTable, 'name')}
  where ${differs.map((column) => `flows.${column} is distinct from excluded.${column}`).join(' or ')}`;

export function flowStore({ query }: Connection): FlowStore {
  return {
    async put(flow) {
      await query(putText, flowTable.values(flow));
    },
    async get(name) {
      const [row] = await query<RowOf<typeof flowTable>>(`select ${flowTable.list} from flows where name = $1`, [name]);
      return row === undefined ? null : flowTable.read(row);
    },
    async list() {
      return (await query<RowOf<typeof flowTable>>(`select ${flowTable.list} from flows order by name`)).map(flowTable.read);
    },
  };
}
