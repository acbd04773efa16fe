/** Removes the payloads from an answer, by its schema: the rest still fits the schema. */
import type { z } from 'zod';
import { markOf } from './schemas/payloads.ts';

type Parent = Readonly<Record<string, unknown>>;

/** How a value with a schema is shown. */
interface Hider {
  /** Whether all of it is hidden, so that null replaces the whole if allowed. */
  readonly hidesAll: boolean;
  readonly hide: (value: unknown, parent: Parent) => unknown;
}

/** Replaces a text. */
export const hiddenText = '[hidden]';

const known = new WeakMap<z.core.$ZodType, Hider>();
const nothing: Parent = {};
const shown: Hider = { hidesAll: false, hide: (value) => value };

/**
 * The same data without payloads: only what the schema marks as none, and values fixed by the code, stay as they were. Members missing from
 * the schema are left out.
 */
export function hidePayloads(schema: z.core.$ZodType, data: unknown): unknown {
  return hiderOf(schema).hide(data, nothing);
}

function hiderOf(schema: z.core.$ZodType): Hider {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const hider = makeHider(schema);
  known.set(schema, hider);
  return hider;
}

function makeHider(schema: z.core.$ZodType): Hider {
  const mark = markOf(schema);
  if (mark === null) return shown;
  if (mark !== undefined) return { hidesAll: false, hide: mark };
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'boolean':
    case 'enum':
    case 'literal':
    case 'null':
      return shown;
    case 'nullable':
    case 'optional':
      return orNothing(hiderOf(def.innerType), def.type);
    case 'object':
      return ofObject(def.shape);
    case 'array':
      return ofArray(hiderOf(def.element));
    case 'record':
      return ofRecord(hiderOf(def.keyType), hiderOf(def.valueType));
    case 'union':
      return ofUnion(def.options);
    case 'string':
      return hidden(hiddenText);
    case 'number':
      return hidden(0);
    default:
      return hidden(null);
  }
}

function hidden(instead: unknown): Hider {
  return { hidesAll: true, hide: () => instead };
}

function orNothing({ hidesAll, hide }: Hider, type: 'nullable' | 'optional'): Hider {
  const isNothing = (value: unknown): boolean => value === undefined || (type === 'nullable' && value === null);
  if (hidesAll)
    return type === 'nullable' ? hidden(null) : { hidesAll, hide: (value, parent) => (isNothing(value) ? undefined : hide(value, parent)) };
  return { hidesAll, hide: (value, parent) => (isNothing(value) ? value : hide(value, parent)) };
}

function ofObject(shape: Readonly<Record<string, z.core.$ZodType>>): Hider {
  const members = Object.entries(shape).map(([name, schema]) => [name, hiderOf(schema)] as const);
  return {
    hidesAll: members.every(([, { hidesAll }]) => hidesAll),
    hide: (value) => {
      if (!isObject(value)) return null;
      const kept = members.map(([name, { hide }]) => [name, Object.hasOwn(value, name) ? hide(value[name], value) : undefined] as const);
      return Object.fromEntries(kept.filter(([, member]) => member !== undefined));
    },
  };
}

function ofArray({ hidesAll, hide }: Hider): Hider {
  if (hidesAll) return hidden([]);
  return { hidesAll, hide: (value) => (Array.isArray(value) ? value.map((item) => hide(item, nothing)) : []) };
}

function ofRecord(key: Hider, item: Hider): Hider {
  if (key.hidesAll || item.hidesAll) return hidden({});
  return {
    hidesAll: false,
    hide: (value) =>
      isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [String(key.hide(name, value)), item.hide(member, value)]))
        : {},
  };
}

/** By the first form the value matches. */
function ofUnion(options: readonly z.core.$ZodType[]): Hider {
  const forms = options.map((schema) => ({ schema: schema as z.ZodType, ...hiderOf(schema) }));
  return {
    hidesAll: forms.every(({ hidesAll }) => hidesAll),
    hide: (value, parent) => forms.find(({ schema }) => schema.safeParse(value).success)?.hide(value, parent) ?? null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
