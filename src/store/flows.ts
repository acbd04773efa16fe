/** Flows as they were last seen. Writing one happens before every run, so it goes without Kysely. */
import type { Connection } from './connection.ts';
import { flowOf } from './rows.ts';
import type { FlowStore } from './store.ts';
import { jsonText } from './storable.ts';

const changing = ['version', 'description', 'tags', 'kind', 'source', 'params_schema', 'graph', 'concurrency'] as const;
const differs = changing.map((column) => `flows.${column} is distinct from excluded.${column}`).join(' or ');

/** `updated_at` alone is no change: a flow that is the same stays as it was. */
const putText = `insert into flows (name, ${changing.join(', ')}, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict (name) do update set ${[...changing, 'updated_at'].map((column) => `${column} = excluded.${column}`).join(', ')}
  where ${differs}`;

export function flowStore(connection: Connection): FlowStore {
  return {
    async put(flow) {
      await connection.query(putText, [
        flow.name,
        flow.version,
        flow.description,
        jsonText(flow.tags),
        flow.kind,
        flow.source,
        jsonText(flow.paramsSchema),
        jsonText(flow.graph),
        flow.concurrency ? jsonText(flow.concurrency) : null,
        flow.updatedAt,
      ]);
    },
    async get(name) {
      const db = await connection.kysely();
      const row = await db.selectFrom('flows').selectAll().where('name', '=', name).executeTakeFirst();
      return row === undefined ? null : flowOf(row);
    },
    async list() {
      const db = await connection.kysely();
      return (await db.selectFrom('flows').selectAll().orderBy('name').execute()).map(flowOf);
    },
  };
}
