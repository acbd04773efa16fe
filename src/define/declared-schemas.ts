/** Schemas that a flow declares: of its parameters, and of what it emits. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { checkStreamName } from '../model/emission.ts';
import type { FlowDefinition } from '../model/flow.ts';
import * as check from './options.ts';

/** The schema, null for none. @param name its name in messages @throws BatutaError OPTION_INVALID */
export function schemaOf(place: string, name: string, value: unknown): StandardSchemaV1 | null {
  if (value === undefined) return null;
  // arktype's schemas are functions, zod's and valibot's are objects.
  const standard =
    (typeof value === 'object' || typeof value === 'function') && value !== null
      ? (value as { '~standard'?: { validate?: unknown } })['~standard']
      : undefined;
  if (typeof standard?.validate === 'function') return value as StandardSchemaV1;
  throw check.invalid(place, name, value, 'a Standard Schema, e.g. z.object({ … }) of zod');
}

/** The static member `emits`: a schema for each stream, null for none. @throws BatutaError OPTION_INVALID, NAME_INVALID */
export function emitsOf(place: string, given: unknown): NonNullable<FlowDefinition['emits']> | null {
  if (given === undefined) return null;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw check.invalid(place, 'static emits', given, 'an object with a schema for each stream');
  const schemas = Object.create(null) as Record<string, StandardSchemaV1>;
  for (const [stream, declared] of Object.entries(given)) {
    checkStreamName(stream);
    const schema = schemaOf(place, `static emits.${stream}`, declared);
    if (schema === null) throw check.invalid(place, `static emits.${stream}`, declared, 'a Standard Schema, e.g. z.string() of zod');
    schemas[stream] = schema;
  }
  return schemas;
}
