/** Paths into an event or an ended run: `payload.order.id`, `result.rows`, `payload.items.0.sku`. Pure; nothing is evaluated. */
import { cutText } from '../../base/cut-text.ts';
import type { FilterValue, TriggerRule } from './trigger.ts';

/** First parts of paths. */
export const pathRoots = ['payload', 'event', 'run', 'params', 'result'] as const;
export type PathRoot = (typeof pathRoots)[number];

/** Facts about an occurrence of a source, by path root. Missing roots are left out. */
export type CauseFacts = Readonly<Partial<Record<PathRoot, unknown>>>;

const maxPathChars = 200;
const maxSegments = 20;
/** Longest value of `by`, in characters. */
const maxGroupChars = 200;

/** A parsed path: the number of its source, from 1, or null for the first that has it. */
export interface ParsedPath {
  readonly source: number | null;
  readonly root: PathRoot;
  readonly segments: readonly string[];
}

/** Null if it is no path. */
export function parsePath(text: string): ParsedPath | null {
  if (text.length > maxPathChars || /[\p{Cc}\p{Cs}]/u.test(text)) return null;
  const parts = text.split('.');
  const source = /^[1-9]\d?$/.test(parts[0] ?? '') ? Number(parts.shift()) : null;
  const [root, ...segments] = parts;
  if (segments.length > maxSegments || segments.includes('')) return null;
  const known = pathRoots.find((one) => one === root);
  return known === undefined ? null : { source, root: known, segments };
}

/** The value at a path; undefined if none. Own fields only. */
export function valueAt(facts: CauseFacts, { root, segments }: Pick<ParsedPath, 'root' | 'segments'>): unknown {
  return dig(facts[root], segments);
}

/** The value below another by these fields; undefined if none. */
export function dig(value: unknown, segments: readonly string[]): unknown {
  let at = value;
  for (const segment of segments) {
    if (at instanceof Map) at = at.get(segment) as unknown;
    else if (typeof at === 'object' && at !== null && Object.hasOwn(at, segment)) at = (at as Readonly<Record<string, unknown>>)[segment];
    else return undefined;
  }
  return at;
}

/** Roots used by a rule, so that nothing else is read. */
export function rootsOf({ where, params, by }: Pick<TriggerRule, 'where' | 'params' | 'by'>): ReadonlySet<PathRoot> {
  const texts = [...Object.keys(where), ...Object.values(params), ...(by === null ? [] : [by])];
  return new Set(texts.flatMap((text) => parsePath(text)?.root ?? []));
}

/** Whether an occurrence passes the filters. A filter that cannot apply to this source is for the others. */
export function passes(where: TriggerRule['where'], facts: CauseFacts, source: number): boolean {
  return Object.entries(where).every(([text, wanted]) => {
    const path = parsePath(text);
    if (path === null || !(path.root in facts) || (path.source !== null && path.source !== source + 1)) return true;
    const found = valueAt(facts, path);
    const values: readonly unknown[] = Array.isArray(found) ? found : [found];
    return values.some((value) => wanted.includes(value as FilterValue));
  });
}

/** Parameter values from one source, by name. */
export function mapParams(params: TriggerRule['params'], facts: CauseFacts, source: number): Readonly<Record<string, unknown>> {
  const values = Object.entries(params).flatMap(([name, text]): [string, unknown][] => {
    const path = parsePath(text);
    if (path === null || (path.source !== null && path.source !== source + 1)) return [];
    const value = valueAt(facts, path);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(values);
}

/** Key of its window or debounce: the value at `by` as text, cut. */
export function groupOf(by: string | null, facts: CauseFacts): string {
  const path = by === null ? null : parsePath(by);
  if (path === null) return '';
  const value = valueAt(facts, path);
  if (value === undefined) return '';
  const text =
    typeof value === 'string'
      ? value
      : (JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one)) ?? '');
  return cutText(text.replace(/[\p{Cc}\p{Cs}]/gu, '\uFFFD'), maxGroupChars);
}
