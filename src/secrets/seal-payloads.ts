/**
 * A store whose payloads are encrypted at rest: input is sealed, output is opened.
 *
 * Payloads are the texts of values, which all begin with `{"json":` (parameters, results, inputs of spread tasks, data of signals, cached
 * values), and the arguments of calls recorded for people. They are found by that form anywhere in the arguments and results of
 * the store, including callbacks, so a query added later is covered too. Values stored earlier in clear text are read unchanged.
 * Without the key the store is not wrapped.
 */
import type { Keyring } from '../base/keyring.ts';
import { sealedPayload } from '../model/values.ts';
import type { Recorder, Store } from '../store/store.ts';

/** One purpose for all payloads, as they move between rows: a cached value becomes the result of another run. */
export const payloadPurpose = 'payload';
const payloadStart = '{"json":';

type Change = (text: string) => string;

/** The store with its payloads sealed. */
export function sealPayloads(store: Store, keyring: Keyring): Store {
  const seal: Change = (text) => (text.startsWith(payloadStart) ? sealText(keyring, text) : text);
  const open: Change = (text) => (text.startsWith(sealedPayload) ? openText(keyring, text) : text);
  const sealed = { ...store } as Record<string, unknown>;
  for (const [name, part] of Object.entries(store)) {
    // Pieces of large values, which are sealed as a whole before.
    if (name === 'results') continue;
    if (name === 'recorder') sealed[name] = sealedRecorder(store.recorder, seal);
    else if (typeof part === 'object' && part !== null) sealed[name] = wrapped(part, seal, open);
  }
  return sealed as unknown as Store;
}

/** Opens a text with one of the keys; if none fits it stays sealed, and reading the value reports that. */
export function openText(keyring: Keyring, text: string): string {
  const opened = keyring.open(text.slice(sealedPayload.length), payloadPurpose);
  return 'text' in opened ? opened.text : text;
}

export function sealText(keyring: Keyring, text: string): string {
  return sealedPayload + keyring.seal(text, payloadPurpose);
}

/** Its promises must keep their identity, and it returns nothing to open. */
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

/** An object whose functions get arguments changed by `inward` and return values changed by `outward`. */
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
 * Plain data with its texts changed; data without such texts is returned as the same object. Functions in it are wrapped.
 *
 * @param back change applied to the arguments of functions in the data
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

/** Arguments for people are JSON; sealed they are one text. */
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
