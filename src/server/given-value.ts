/**
 * Reads a value sent in superjson's form, without trusting what the form claims about itself.
 *
 * superjson obeys `meta`: a few bytes can make a list of billions of places, a buffer of gigabytes, or a value whose text doubles with each
 * level. Here every path in `meta` must exist in `json`, the type made of a value must fit it, and references to the same object must be
 * written the same. So the result is never larger than the input.
 */
import { decodeValue } from '../engine/values/results.ts';
import { errorBase, errorFromParts } from '../model/values.ts';

/** What `meta` says of a place and of those below it. */
interface Note {
  type?: unknown;
  group?: Group;
  readonly below: Map<string, Note>;
}

/** Places that are one object. It is open while its content is read: only then may a place within it refer to it. */
interface Group {
  state: 'unread' | 'open' | 'read';
  value: unknown;
}

interface Place {
  readonly raw: unknown;
  readonly note: Note;
}

/** Parsing digits takes more than linear time. */
const maxDigits = 100_000;

/**
 * The value. `json` becomes part of it. Recurses level by level: the caller bounds the nesting.
 *
 * @throws Error if `meta` does not fit
 */
export function readGivenValue({ json, meta }: { readonly json: unknown; readonly meta?: unknown }): unknown {
  if (meta === undefined) return json;
  const { values, referentialEqualities } = recordOf(meta);
  const root: Place = { raw: json, note: { below: new Map() } };
  if (values !== undefined) noteTypes(values, root);
  if (referentialEqualities !== undefined) noteGroups(referentialEqualities, root);
  return read(json, root.note);
}

function noteTypes(tree: unknown, place: Place): void {
  if (!Array.isArray(tree)) {
    for (const [path, below] of Object.entries(recordOf(tree))) noteTypes(below, placeAt(place, path));
    return;
  }
  const [type, below] = tree as readonly unknown[];
  check(place.note.type === undefined, 'a place has two types');
  place.note.type = type;
  if (below !== undefined) noteTypes(recordOf(below), place);
}

function noteGroups(groups: unknown, root: Place): void {
  const [ofRoot, others] = Array.isArray(groups) ? (groups as readonly unknown[]) : [[], groups];
  noteGroup(root, ofRoot, root);
  for (const [path, same] of Object.entries(recordOf(others ?? {}))) noteGroup(placeAt(root, path), same, root);
}

function noteGroup(first: Place, paths: unknown, root: Place): void {
  check(Array.isArray(paths), 'the places that are the same must be a list');
  if (paths.length === 0) return;
  const group: Group = { state: 'unread', value: undefined };
  for (const { raw, note } of [first, ...(paths as readonly unknown[]).map((path) => placeAt(root, path))]) {
    check(note.group === undefined, 'a place is the same as two others');
    check(raw === null || isWrittenTheSame(raw, first.raw), 'places are said to be the same and are not');
    note.group = group;
  }
}

/** Follows own members of `json` only, nothing inherited. */
function placeAt(from: Place, path: unknown): Place {
  check(typeof path === 'string', 'a path must be a text');
  let { raw, note } = from;
  for (const key of keysOf(path)) {
    check(typeof raw === 'object' && raw !== null && Object.hasOwn(raw, key) && !(Array.isArray(raw) && key === 'length'), 'no such place');
    raw = (raw as Readonly<Record<string, unknown>>)[key];
    const known = note.below.get(key);
    const below: Note = known ?? { below: new Map() };
    if (known === undefined) note.below.set(key, below);
    note = below;
  }
  return { raw, note };
}

/** Dots separate the keys of a path; a backslash escapes a dot or a backslash. */
function keysOf(path: string): string[] {
  const keys = [''];
  for (const [part] of path.matchAll(/\\.|[^\\.]+|./gsu)) {
    if (part === '.') keys.push('');
    else keys[keys.length - 1] += part.startsWith('\\') ? part.slice(1) : part;
  }
  return keys;
}

function read(raw: unknown, note: Note | undefined): unknown {
  if (note === undefined) return raw;
  const { group } = note;
  if (group === undefined) return make(raw, note, () => undefined);
  check((raw === null) === (group.state === 'open'), 'a place is the same as one that it is not within');
  if (group.state !== 'unread') return group.value;
  group.value = make(raw, note, (value) => {
    group.value = value;
    group.state = 'open';
  });
  group.state = 'read';
  return group.value;
}

/** @param open receives a container before it is filled */
function make(raw: unknown, { type, below }: Note, open: (value: unknown) => void): unknown {
  if (type === undefined) {
    open(raw);
    const container = raw as Record<string, unknown>;
    // In written order: a shared object is only described within the first of its places.
    for (const key of Object.keys(container)) if (below.has(key)) container[key] = read(container[key], below.get(key));
    return raw;
  }
  if (type === 'map') return makeMap(raw, below, open);
  if (type === 'set') return makeSet(raw, below, open);
  if (type === 'Error' || (Array.isArray(type) && type[0] === 'custom' && type[1] === 'Error'))
    return makeError(recordOf(raw), below, open);
  check(below.size === 0 && isLeaf(raw, type), 'a type does not fit');
  return decodeValue(JSON.stringify({ json: raw, meta: { values: [type], v: 1 } }));
}

function makeMap(raw: unknown, below: Note['below'], open: (value: unknown) => void): unknown {
  check(Array.isArray(raw), 'a map must be a list');
  const map = new Map<unknown, unknown>();
  open(map);
  for (const [index, row] of (raw as readonly unknown[]).entries()) {
    check(Array.isArray(row) && row.length === 2, 'a map must be a list of pairs');
    const notes = below.get(String(index))?.below;
    map.set(read(row[0], notes?.get('0')), read(row[1], notes?.get('1')));
  }
  return map;
}

function makeSet(raw: unknown, below: Note['below'], open: (value: unknown) => void): unknown {
  check(Array.isArray(raw), 'a set must be a list');
  const set = new Set<unknown>();
  open(set);
  for (const [index, value] of (raw as readonly unknown[]).entries()) set.add(read(value, below.get(String(index))));
  return set;
}

function makeError(raw: Readonly<Record<string, unknown>>, below: Note['below'], open: (value: unknown) => void): unknown {
  const { name, message, [errorBase]: base } = raw;
  check(typeof name === 'string' && typeof message === 'string', 'an error must have a name and a message');
  // Its own stack would reveal server internals.
  const error = errorFromParts({ name, message, stack: `${name}: ${message}`, [errorBase]: base });
  open(error);
  for (const key of Object.keys(raw)) {
    if (['name', 'message', 'stack', errorBase].includes(key)) continue;
    check(!unsafeFields.has(key), `an error has a field ${key}`);
    const value = read(raw[key], below.get(key));
    Object.defineProperty(error, key, { value, enumerable: key !== 'cause' && key !== 'errors', configurable: true, writable: true });
  }
  return error;
}

/** Names no value may have: they would change all objects. */
const unsafeFields: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether the raw value can be read as this type without growing. */
function isLeaf(raw: unknown, type: unknown): boolean {
  if (type === 'undefined') return raw === null;
  if (Array.isArray(type) && type[0] === 'typed-array') return Array.isArray(raw) && raw.every((item) => typeof item === 'number');
  if (typeof raw !== 'string') return false;
  if (type === 'bigint') return raw.length <= maxDigits;
  if (type === 'Date') return !Number.isNaN(Date.parse(raw));
  return Array.isArray(type) ? type[0] === 'custom' : ['regexp', 'number', 'URL'].includes(String(type));
}

function isWrittenTheSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [ones, others] = [Object.entries(one), Object.entries(other)];
  return (
    Array.isArray(one) === Array.isArray(other) &&
    ones.length === others.length &&
    ones.every(([key, value]) => Object.hasOwn(other, key) && isWrittenTheSame(value, (other as Readonly<Record<string, unknown>>)[key]))
  );
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  check(typeof value === 'object' && value !== null && !Array.isArray(value), 'an object was expected');
  return value as Readonly<Record<string, unknown>>;
}

function check(fits: boolean, otherwise: string): asserts fits {
  if (!fits) throw new Error(`The value does not fit its description: ${otherwise}.`);
}
