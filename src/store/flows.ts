/** Flows as they were last seen. */
import type { Connection } from './connection.ts';
import type { DeclaredConcurrency } from '../model/flow.ts';
import { readFields, readJson, readRate, readTexts } from './read-json.ts';
import { selectAll, selectOne } from './sql.ts';
import type { FlowStore, StoredFlow } from './store.ts';
import { describeTable, insertText, json, jsonOrNull, optional, replacedBy, text, textOrNull, time, word } from './table.ts';

export const flowTable = describeTable('flows', {
  name: text,
  version: text,
  description: textOrNull,
  tags: json(readTexts),
  kind: word<StoredFlow['kind']>(),
  source: textOrNull,
  params_schema: json(readJson<unknown>),
  graph: json(readJson<unknown>),
  concurrency: jsonOrNull(readFields<DeclaredConcurrency>),
  rate_limit: optional(jsonOrNull((value) => (value === null ? null : readRate(value)))),
  updated_at: time,
});

const differs = flowTable.columns.filter((column) => column !== 'name' && column !== 'updated_at');
/** `updated_at` alone is not a change: an unchanged flow stays as it was. */
const putText = `${insertText(flowTable)} on conflict (name) do update set ${replacedBy(flowTable, 'name')}
  where ${differs.map((column) => `flows.${column} is distinct from excluded.${column}`).join(' or ')}`;

export function flowStore({ query }: Connection): FlowStore {
  return {
    async put(flow) {
      await query(putText, flowTable.values(flow));
    },
    get: (name) => selectOne({ query }, flowTable, 'where name = $1', [name]),
    list: () => selectAll({ query }, flowTable, 'order by name'),
  };
}
