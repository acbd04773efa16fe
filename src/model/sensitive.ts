/**
 * Parameter fields that a schema marks as sensitive: which they are, and how they are hidden from people. Pure.
 *
 * Their paths are stored with the recorded value (`{"json":…,"sensitive":["card.number"]}`), so that they are known without the flow, and a
 * later version of the flow changes nothing about earlier runs. Code gets the values unmasked.
 */
import { createHash } from 'node:crypto';
import { redacted } from '../base/secret-names.ts';
import { withoutSubmitted } from './submitted.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Matches every item of a list or field of a record. */
const every = '*';
/** Marks of a field in its JSON Schema: from `.meta({ sensitive: true })` of zod, and the standard's own word for passwords. */
const marks = ['sensitive', 'x-sensitive', 'writeOnly'] as const;
const maxDepth = 20;

/** Paths of the fields that a JSON Schema marks, such as `password` and `cards.*.number`; `''` for the whole value. */
export function sensitivePathsOf(schema: Fields | null): readonly string[] {
  const found = new Set<string>();
  if (schema !== null) collect(schema, schema, [], found, 0);
  return [...found];
}

function collect(schema: unknown, root: Fields, path: readonly string[], found: Set<string>, depth: number): void {
  if (!isFields(schema) || depth > maxDepth) return;
  if (marks.some((mark) => schema[mark] === true)) {
    found.add(path.join('.'));
    return;
  }
  const below = (inner: unknown, step?: string): void =>
    collect(inner, root, step === undefined ? path : [...path, step], found, depth + 1);
  const { $ref: ref, properties, items, prefixItems, additionalProperties } = schema;
  if (typeof ref === 'string' && ref.startsWith('#/'))
    below(
      ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, key) => (isFields(at) ? at[key] : undefined), root),
    );
  if (isFields(properties)) for (const [name, inner] of Object.entries(properties)) below(inner, name);
  for (const inner of [items, prefixItems].flat()) below(inner, every);
  below(additionalProperties, every);
  for (const word of ['anyOf', 'oneOf', 'allOf']) for (const inner of [schema[word]].flat()) below(inner);
}

/** The recorded text of a value with the paths of its sensitive fields. */
export function withSensitivePaths(text: string, paths: readonly string[]): string {
  return paths.length === 0 ? text : `${text.slice(0, -1)},"sensitive":${JSON.stringify(paths)}}`;
}

/**
 * The recorded text for people: sensitive fields are `[redacted]`, and it holds only the value. Any other text is returned as is.
 *
 * @param by `hash` makes them `[redacted 1f2e3d4c]`, so that changes show
 */
export function forPeople(text: string, by: 'mask' | 'hash' = 'mask'): string {
  const marked = markedOf(text);
  if (marked === null) return withoutSubmitted(text);
  const { paths, json, meta } = marked;
  const masked = { json: maskedAt(json, paths, by === 'mask' ? () => redacted : (value) => `[redacted ${hashOf(value, 8)}]`) };
  return JSON.stringify(meta === undefined ? masked : { ...masked, meta: withoutTypes(meta, paths) });
}

/** Texts and numbers in sensitive fields of a recorded value; none for most. */
export function sensitiveValuesIn(text: string): readonly string[] {
  const marked = markedOf(text);
  if (marked === null) return [];
  const found: string[] = [];
  const note = (value: unknown): void => {
    if (typeof value === 'string' || typeof value === 'number') found.push(String(value));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(note);
  };
  maskedAt(marked.json, marked.paths, note);
  return found;
}

/**
 * A copy of plain data for names: sensitive fields are `[redacted]`, or a hash for names of limits, so that each value counts separately.
 */
export function maskedParams(params: unknown, paths: readonly string[], by: 'mask' | 'hash'): unknown {
  return paths.length === 0 ? params : maskedAt(params, paths, (value) => (by === 'mask' ? redacted : hashOf(value, 16)));
}

/** Paths stored with a recorded value. */
export function sensitivePathsIn(text: string): readonly string[] {
  return markedOf(text)?.paths ?? [];
}

function hashOf(value: unknown, chars: number): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, chars);
}

function markedOf(text: string): { readonly paths: readonly string[]; readonly json: unknown; readonly meta: unknown } | null {
  // The paths come last; most texts are ruled out by these two signs.
  if (!text.endsWith('"]}') || !text.includes(',"sensitive":[')) return null;
  try {
    const { sensitive, json, meta } = JSON.parse(text) as { readonly sensitive?: unknown; readonly json: unknown; readonly meta?: unknown };
    return Array.isArray(sensitive) ? { paths: sensitive.map(String), json, meta } : null;
  } catch {
    // Nothing of an unreadable text may be shown: what is sensitive in it is unknown.
    return { paths: [''], json: null, meta: undefined };
  }
}

function maskedAt(value: unknown, paths: readonly string[], replace: (value: unknown) => unknown): unknown {
  return paths.reduce((masked, path) => maskedIn(masked, path === '' ? [] : path.split('.'), replace), value);
}

function maskedIn(value: unknown, [step, ...rest]: readonly string[], replace: (value: unknown) => unknown): unknown {
  if (step === undefined) return value === null || value === undefined ? value : replace(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return step === every ? value.map((item) => maskedIn(item, rest, replace)) : value;
  if (!isFields(value)) return value;
  const names = step === every ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return { ...value, ...Object.fromEntries(names.map((name) => [name, maskedIn(value[name], rest, replace)])) };
}

/** superjson's types would read masked values as dates or similar. */
function withoutTypes(meta: unknown, paths: readonly string[]): unknown {
  if (!isFields(meta) || !isFields(meta['values'])) return meta;
  const isMasked = (at: string): boolean => paths.some((path) => fits(at.split('.'), path === '' ? [] : path.split('.')));
  return { ...meta, values: Object.fromEntries(Object.entries(meta['values']).filter(([at]) => !isMasked(at))) };
}

function fits(at: readonly string[], path: readonly string[]): boolean {
  return path.every((step, index) => step === every || step === at[index]);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
