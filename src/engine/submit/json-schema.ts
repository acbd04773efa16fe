/**
 * JSON Schema of a flow's parameters, if the schema's library can produce one.
 *
 * What JSON cannot express (a bigint, a map, a set, a custom check) removes only that field's type. `x-type` then names the class a field
 * wants, so that a form, a command line and the API may write it as JSON; `x-default` shows a default that is set after a conversion.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { cutText } from '../../base/cut-text.ts';
import { sensitivePathsOf } from '../../model/sensitive.ts';

type Fields = Readonly<Record<string, unknown>>;

const maxDefaultChars = 100;
const marked = ['date', 'bigint', 'map', 'set'];
const noPaths: readonly string[] = [];
/** Once per schema: making its JSON Schema costs more than a run. */
const sensitiveOf = new WeakMap<StandardSchemaV1, readonly string[]>();

/** Null if the library produces none. */
export function jsonSchemaOf(schema: StandardSchemaV1 | null): Fields | null {
  const standard: unknown = schema?.['~standard'];
  if (!isFields(standard) || !isFields(standard['jsonSchema']) || typeof standard['jsonSchema']['input'] !== 'function') return null;
  const { input } = standard['jsonSchema'];
  const libraryOptions = standard['vendor'] === 'zod' ? { unrepresentable: 'any', override: overrideZod } : undefined;
  try {
    const made: unknown = input({ target: 'draft-2020-12', ...(libraryOptions && { libraryOptions }) });
    return isFields(made) ? made : null;
  } catch {
    // Another library; a schema with parts that JSON Schema cannot express has none.
    return null;
  }
}

/**
 * Paths of the parameters that the schema marks as sensitive; empty for a flow without a schema, or if the schema's library produces no
 * JSON Schema.
 */
export function sensitiveParams(schema: StandardSchemaV1 | null): readonly string[] {
  if (schema === null) return noPaths;
  let paths = sensitiveOf.get(schema);
  if (paths === undefined) sensitiveOf.set(schema, (paths = sensitivePathsOf(jsonSchemaOf(schema))));
  return paths;
}

/**
 * Fields of the parameters that the schema wants as a Date, bigint, Map or Set, converted from their JSON; null if there are none to
 * convert. What cannot be read stays as it is.
 */
export function readMarked(schema: StandardSchemaV1, given: unknown): Fields | null {
  const { properties } = jsonSchemaOf(schema) ?? {};
  if (!isFields(given) || !isFields(properties)) return null;
  let changed = false;
  const read = Object.entries(given).map(([name, value]) => {
    const property = properties[name];
    const made = isFields(property) ? madeOf(property['x-type'], value) : value;
    changed ||= made !== value;
    return [name, made] as const;
  });
  return changed ? Object.fromEntries(read) : null;
}

function madeOf(type: unknown, value: unknown): unknown {
  switch (type) {
    case 'date': {
      const at = typeof value === 'string' || typeof value === 'number' ? new Date(value) : null;
      return at === null || Number.isNaN(at.getTime()) ? value : at;
    }
    case 'bigint':
      return (typeof value === 'string' && /^\s*-?\d{1,1000}n?\s*$/.test(value)) || Number.isSafeInteger(value)
        ? BigInt(String(value).trim().replace(/n$/, ''))
        : value;
    case 'map':
      if (Array.isArray(value)) return value.every((entry) => Array.isArray(entry) && entry.length === 2) ? new Map(value) : value;
      return isFields(value) && !(value instanceof Map) ? new Map(Object.entries(value)) : value;
    case 'set':
      return Array.isArray(value) ? new Set(value) : value;
    default:
      return value;
  }
}

interface ZodContext {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string; readonly defaultValue?: unknown } } };
  readonly jsonSchema: Record<string, unknown>;
}

function overrideZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { def } = zodSchema._zod;
  if (marked.includes(def.type)) jsonSchema['x-type'] = def.type;
  if (def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
  if (def.type === 'default' && !('default' in jsonSchema)) jsonSchema['x-default'] = textOf(def.defaultValue);
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  try {
    const json = JSON.stringify(value instanceof Map || value instanceof Set ? [...value] : value);
    return cutText(typeof value === 'string' ? value : (json ?? String(value)), maxDefaultChars, '…');
  } catch {
    return 'set by the schema';
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
