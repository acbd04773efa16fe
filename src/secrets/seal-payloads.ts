/**
 * A store whose payloads are encrypted at rest: what goes into it is sealed, what comes out of it is opened.
 *
 * Payloads are the texts of values, which all begin with `{"json":` (parameters, results, inputs of spread tasks, data of signals, cached
 * values), and the arguments of calls that are recorded for people. They are found by that form wherever they stand in what is handed to
 * the store or given back, callbacks included, so a query that is added later is covered too. What was stored before in clear is read as it is.
 * Without the key nothing of this is in the way.
 */
import type { Keyring } from '../base/keyring.ts';
import { sealedPayload } from '../model/values.ts';
import type { Recorder, Store } from '../store/store.ts';

/** What payloads are sealed for. They move between rows: a cached value becomes the result of another run. */
export const payloadPurpose = 'payload';
const payloadStart = '{"json":';

type Change = (text: string) => string;

/** The store with its payloads sealed. */
export function sealPayloads(store: Store, keyring: Keyring): Store {
  const seal: Change = (text) => (text.startsWith(payloadStart) ? sealText(keyring, text) : text);
  const open: Change = (text) => (text.startsWith(sealedPayload) ? openText(keyring, text) : text);
  const sealed = { ...store } as Record<string, unknown>;
  for (const [name, part] of Object.entries(store)) {
    // Pieces of large values, which are sealed as wholes before they come here.
    if (name === 'results') continue;
    if (name === 'recorder') sealed[name] = sealedRecorder(store.recorder, seal);
    else if (typeof part === 'object' && part !== null) sealed[name] = wrapped(part, seal, open);
  }
  return sealed as unknown as Store;
}

/** A text that can be opened with one of the keys; others stay sealed, and reading the value says so. */
export function openText(keyring: Keyring, text: string): string {
  const opened = keyring.open(text.slice(sealedPayload.length), payloadPurpose);
  return 'text' in opened ? opened.text : text;
}

export function sealText(keyring: Keyring, text: string): string {
  return sealedPayload + keyring.seal(text, payloadPurpose);
}

/** It gives promises whose identity matters, and nothing that has to be opened. */
function sealedRecorder(recorder: Recorder, seal: Change): Recorder {
  return new Proxy(recorder, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown =>
        Reflect.apply(
          member,
          target,
          args.map((arg) => (typeof arg === 'function' ? arg : walk(arg, seal))),
        );
    },
  });
}

/** An object whose functions are given what `inward` makes of their arguments, and give what `outward` makes of their values. */
function wrapped<T extends object>(target: T, inward: Change, outward: Change): T {
  const known = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get: (_, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      if (!known.has(key)) known.set(key, wrapFunction(member as AnyFunction, target, inward, outward));
      return known.get(key);
    },
  });
}

type AnyFunction = (...args: readonly unknown[]) => unknown;

function wrapFunction(called: AnyFunction, self: unknown, inward: Change, outward: Change): AnyFunction {
  const into = (value: unknown): unknown =>
    typeof value === 'function' ? wrapFunction(value as AnyFunction, undefined, outward, inward) : walk(value, inward, outward);
  return (...args) => {
    const value = Reflect.apply(called, self, args.map(into));
    return value instanceof Promise ? value.then((settled: unknown) => walk(settled, outward, inward)) : walk(value, outward, inward);
  };
}

/**
 * Plain data with its texts changed; what holds none is given back as it is, the same object. Functions in it are wrapped.
 *
 * @param back what is made of the arguments of functions that stand in the data
 */
function walk(value: unknown, change: Change, back: Change | null = null): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value === 'function') return back === null ? value : wrapFunction(value as AnyFunction, undefined, back, change);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return changedList(value, change, back);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key, walk(inner, change, back)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let changed: Record<string, unknown> | null = null;
  for (const [key, inner] of Object.entries(value)) {
    const made = key === 'callArgs' ? changedCall(inner, change) : walk(inner, change, back);
    if (made !== inner) (changed ??= { ...value })[key] = made;
  }
  return changed ?? value;
}

function changedList(list: readonly unknown[], change: Change, back: Change | null): readonly unknown[] {
  const made = list.map((inner) => walk(inner, change, back));
  return made.some((inner, at) => inner !== list[at]) ? made : list;
}

/** Arguments as people see them are JSON; sealed they are one text. */
function changedCall(args: unknown, change: Change): unknown {
  if (!Array.isArray(args) || args.length === 0) return args;
  const [first] = args as readonly { readonly text?: unknown }[];
  if (typeof first?.text === 'string' && first.text.startsWith(sealedPayload)) {
    const opened = change(first.text);
    return opened === first.text ? args : (JSON.parse(opened) as { readonly json: unknown }).json;
  }
  const text = JSON.stringify({ json: args });
  const sealed = change(text);
  return sealed === text ? args : [{ text: sealed }];
}
