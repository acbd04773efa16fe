/** Which parameters of a flow its schema marks as sensitive. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { sensitivePathsOf } from '../../model/sensitive.ts';
import { jsonSchemaOf } from './json-schema.ts';

const none: readonly string[] = [];
/** Of each schema once: making its JSON Schema costs more than a run. */
const known = new WeakMap<StandardSchemaV1, readonly string[]>();

/** Their paths; empty for a flow without a schema, and where the library of the schema gives no JSON Schema. */
export function sensitiveParams(schema: StandardSchemaV1 | null): readonly string[] {
  if (schema === null) return none;
  let paths = known.get(schema);
  if (paths === undefined) known.set(schema, (paths = sensitivePathsOf(jsonSchemaOf(schema))));
  return paths;
}
