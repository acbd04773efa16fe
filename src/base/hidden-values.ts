/**
 * Values that must not be shown: secrets this process has read, and sensitive parameters of running runs.
 *
 * Known to the whole process, as log lines, errors and artifacts are made in many places and a value may appear in any. Kept behind a
 * `Symbol.for`, so that two copies of the library share them. If there are none, a check costs one comparison.
 */
import { inspect } from 'node:util';
import { isSecretName, redacted } from './secret-names.ts';

/** Shorter values are ignored: they would be found in half of all words. */
export const minHiddenChars = 4;
/** From this length on, lines of a multi-line text such as a PEM key are hidden too. */
const minLineChars = 16;

interface Hidden {
  /** Forms of values, with counts of holders. */
  readonly forms: Map<string, number>;
  /** Forms of secrets only: these must not be recorded in results. */
  readonly secretForms: Set<string>;
  /** Finds any form, longest first; null until needed. */
  pattern: RegExp | null;
}

const holderKey = Symbol.for('batuta.hiddenValues');
const hidden: Hidden = ((globalThis as { [holderKey]?: Hidden })[holderKey] ??= {
  forms: new Map(),
  secretForms: new Set(),
  pattern: null,
});

/** Hides a secret for as long as the process lives. */
export function hideSecret(value: string): void {
  for (const form of formsOf(value)) {
    if (hidden.secretForms.has(form)) continue;
    hidden.secretForms.add(form);
    add(form);
  }
}

/** Hides values until the returned function is called. */
export function hideWhile(values: readonly string[]): () => void {
  const forms = [...new Set(values.flatMap(formsOf))];
  forms.forEach(add);
  return () => forms.splice(0).forEach(remove);
}

/** Whether anything is hidden. */
export function hidesValues(): boolean {
  return hidden.forms.size > 0;
}

/** The text with hidden values as `[redacted]`. */
export function withoutHidden(text: string): string {
  return hidden.forms.size === 0 ? text : text.replace(patternOf(), redacted);
}

/** Plain data with hidden values replaced in all its text, including field names; returned as is if there are none. */
export function withoutHiddenIn<T>(value: T): T {
  if (hidden.forms.size === 0 || value === null || value === undefined) return value;
  const text = JSON.stringify(value);
  return text !== undefined && patternOf().test(text) ? (walk(value) as T) : value;
}

/** The same for JSON text. Does not replace in the text: a secret that is itself JSON would take syntax with it. */
export function withoutHiddenInJson(text: string): string {
  return hidden.forms.size > 0 && patternOf().test(text) ? JSON.stringify(walk(JSON.parse(text))) : text;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return withoutHidden(value);
  if (typeof value === 'number' || typeof value === 'bigint') return hidden.forms.has(String(value)) ? redacted : value;
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return walk(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [withoutHidden(name), walk(inner)]));
}

/** Whether a text contains a secret this process has read. */
export function holdsSecret(text: string): boolean {
  for (const form of hidden.secretForms) if (text.includes(form)) return true;
  return false;
}

function add(form: string): void {
  const count = hidden.forms.get(form) ?? 0;
  hidden.forms.set(form, count + 1);
  if (count === 0) hidden.pattern = null;
}

function remove(form: string): void {
  const count = hidden.forms.get(form) ?? 0;
  if (count > 1) hidden.forms.set(form, count - 1);
  else if (hidden.forms.delete(form)) hidden.pattern = null;
}

function patternOf(): RegExp {
  hidden.pattern ??= new RegExp(
    [...hidden.forms.keys()]
      .sort((one, other) => other.length - one.length)
      .map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
      .join('|'),
    'g',
  );
  // With `test` and `replace`, each search begins at the start.
  hidden.pattern.lastIndex = 0;
  return hidden.pattern;
}

/**
 * How a value may appear in a text: as is, in JSON (once and twice), as `console` prints it in an object, in an address, as base64; its
 * lines, and for JSON its secret fields.
 */
function formsOf(value: string): string[] {
  if (value.length < minHiddenChars) return [];
  const lines = value.includes('\n') ? value.split(/\r?\n/).filter((line) => line.trim().length >= minLineChars) : [];
  const plain = [value, value.trim(), ...lines, ...secretsOfJson(value)].filter((text) => text.length >= minHiddenChars);
  const encoded = plain.flatMap((text) => {
    const json = inJson(text);
    const printed = inspect(text, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: null }).slice(1, -1);
    return [text, json, inJson(json), printed, inJson(printed), inAddress(text)];
  });
  return [...new Set([...encoded, Buffer.from(value).toString('base64'), Buffer.from(value).toString('base64url')])];
}

/** Secret fields of credentials in a JSON object, such as a service account's. */
function secretsOfJson(value: string): string[] {
  if (!value.trimStart().startsWith('{')) return [];
  try {
    const fields = Object.entries(JSON.parse(value) as Readonly<Record<string, unknown>>);
    return fields.flatMap(([name, field]) => (typeof field === 'string' && isSecretName(name) ? [field] : []));
  } catch {
    return [];
  }
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inAddress(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}
