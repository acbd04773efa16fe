/** Any value for people: its type, its text, and its parts. Pure; nothing is read before it is opened. */
import { cutText } from '../../../src/base/cut-text.ts';

export interface ValueNode {
  /** For colour and for screen readers. */
  readonly kind: 'string' | 'number' | 'boolean' | 'null' | 'date' | 'other' | 'list' | 'map' | 'set' | 'object';
  /** The value on one line; for one that can be opened, its type and size. */
  readonly text: string;
  /** Number of parts; 0: it cannot be opened. */
  readonly size: number;
}

/** Longest text on one line, characters. */
const mostChars = 400;

/** Describes a value on one line. */
export function describeValue(value: unknown): ValueNode {
  if (value === null || value === undefined) return leaf('null', String(value));
  switch (typeof value) {
    case 'string':
      return leaf('string', JSON.stringify(cutText(value, mostChars, '…')));
    case 'number':
      return leaf('number', Object.is(value, -0) ? '-0' : String(value));
    case 'bigint':
      return leaf('number', `${value}n`);
    case 'boolean':
      return leaf('boolean', String(value));
    case 'object':
      return describeObject(value);
    default:
      return leaf('other', String(value));
  }
}

/** `count` parts of a value from `from` on: label and value. */
export function partsOf(value: unknown, from: number, count: number): readonly { readonly label: string; readonly value: unknown }[] {
  if (Array.isArray(value)) return value.slice(from, from + count).map((part: unknown, at) => ({ label: String(from + at), value: part }));
  if (value instanceof Map)
    return take(value.entries(), from, count).map(([key, part]) => ({
      label: typeof key === 'string' ? key : describeValue(key).text,
      value: part,
    }));
  if (value instanceof Set) return take(value.values(), from, count).map((part, at) => ({ label: String(from + at), value: part }));
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Error) return errorParts(value).slice(from, from + count);
  return Object.entries(value)
    .slice(from, from + count)
    .map(([label, part]) => ({ label, value: part }));
}

/** A value as text to copy: JSON if possible, else its parts as shown. */
export function textOfValue(value: unknown): string {
  return (
    JSON.stringify(
      value,
      (_, part: unknown) => {
        if (typeof part === 'bigint') return `${part}n`;
        if (part instanceof Map) return Object.fromEntries([...part].map(([key, inner]) => [String(key), inner]));
        if (part instanceof Set) return [...part];
        if (part instanceof RegExp) return String(part);
        return part;
      },
      2,
    ) ?? 'undefined'
  );
}

function describeObject(value: object): ValueNode {
  if (value instanceof Date) return leaf('date', Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString());
  if (value instanceof RegExp || value instanceof URL) return leaf('other', String(value));
  if (Array.isArray(value)) return { kind: 'list', text: counted(value.length, 'item'), size: value.length };
  if (value instanceof Map) return { kind: 'map', text: `Map, ${counted(value.size, 'entry', 'entries')}`, size: value.size };
  if (value instanceof Set) return { kind: 'set', text: `Set, ${counted(value.size, 'item')}`, size: value.size };
  if (value instanceof Error) return { kind: 'object', text: `${value.name}: ${value.message}`, size: errorParts(value).length };
  if (ArrayBuffer.isView(value)) return leaf('other', `${value.constructor.name}, ${counted(value.byteLength, 'byte')}`);
  const size = Object.keys(value).length;
  return { kind: 'object', text: counted(size, 'field'), size };
}

function errorParts(error: Error): { readonly label: string; readonly value: unknown }[] {
  return Object.entries({ name: error.name, message: error.message, stack: error.stack, cause: error.cause })
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => ({ label, value }));
}

function leaf(kind: ValueNode['kind'], text: string): ValueNode {
  return { kind, text, size: 0 };
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

function take<T>(all: Iterable<T>, from: number, count: number): T[] {
  const taken: T[] = [];
  let at = 0;
  for (const one of all) {
    if (at >= from + count) break;
    if (at >= from) taken.push(one);
    at += 1;
  }
  return taken;
}
