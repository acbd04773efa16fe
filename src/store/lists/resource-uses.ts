/** What runs have opened. */
import type { Connection } from '../connection.ts';
import { Params, selectAll } from '../sql.ts';
import type { ResourceUseStore } from '../store.ts';
import { resourceUseOf, type ResourceUseRow, resourceUseTable } from '../tables.ts';
import { limitOf, pageOf, placeOf } from './cursor.ts';

/** In the order in which opening began. */
export function resourceUseStore({ query }: Connection): ResourceUseStore {
  const order = 'order by began_at, id';
  return {
    ofRun: (runId) => selectAll({ query }, resourceUseTable, `where run_id = $1 ${order}`, [runId]),
    async pageOfRun(runId, filter = {}) {
      const limit = limitOf(filter.limit, 200, 1000);
      const params = new Params();
      const conditions = [`run_id = ${params.add(runId)}`];
      if (filter.cursor !== undefined) {
        const place = placeOf(filter.cursor);
        conditions.push(`(began_at, id) > (${params.add(place.createdAt)}, ${params.add(place.id)})`);
      }
      const rows = await query<ResourceUseRow>(
        `select ${resourceUseTable.list} from resource_uses where ${conditions.join(' and ')} ${order} limit ${limit + 1}`,
        params.values,
      );
      return pageOf(rows, limit, resourceUseOf, (row) => ({ createdAt: row.began_at, id: row.id }));
    },
  };
}
