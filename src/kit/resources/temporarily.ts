/** The ready resource `temporarily`: changes an object's properties while its scope lasts. */
import { BatutaError } from '../../base/errors.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';

/** Options of `temporarily`. */
export interface TemporarilyOptions<S extends ResourceScopeName = 'run'> {
  /** Name of the resource. Default `temporarily`. */
  readonly name?: string | undefined;
  /** How long the object is changed. Default `run`. */
  readonly scope?: S | undefined;
}

/** Changes to a property, and its original value. */
interface Change {
  readonly original: PropertyDescriptor | undefined;
  readonly holders: { readonly value: unknown }[];
}

const changed = new WeakMap<object, Map<PropertyKey, Change>>();

/**
 * Sets properties of an object shared by the whole process (`process.env`, a library's settings) and restores them. Its value is the
 * object. Overlapping scopes see the latest change; when all have ended, the object is restored.
 *
 * @throws BatutaError OPTION_INVALID if the first argument is not an object; on opening RESOURCE_OPEN_FAILED if a property cannot be set
 * @example
 * ```ts
 * const quietly = temporarily(process.env, { LOG_LEVEL: 'error' });
 * ```
 */
export function temporarily<T extends object, const S extends ResourceScopeName = 'run'>(
  object: T,
  changes: Partial<T>,
  options: TemporarilyOptions<S> = {},
): Resource<T, void, S> {
  for (const [what, given] of [
    ['an object', object],
    ['an object of its new properties', changes],
  ] as const)
    if ((typeof given !== 'object' && typeof given !== 'function') || given === null)
      throw new BatutaError('OPTION_INVALID', `temporarily() takes ${what}, not ${String(given)}.`);
  const name = options.name ?? 'temporarily';
  return resource(
    name,
    function* () {
      const undo: (() => void)[] = [];
      try {
        for (const key of Reflect.ownKeys(changes)) undo.push(hold(object, key, Reflect.get(changes, key)));
        yield object;
      } finally {
        for (const one of undo.reverse()) one();
      }
    },
    { scope: options.scope ?? ('run' as S) },
  );
}

/** Sets it; returns a function that releases it. */
function hold(object: object, key: PropertyKey, value: unknown): () => void {
  const changes = changed.get(object) ?? new Map<PropertyKey, Change>();
  changed.set(object, changes);
  const change = changes.get(key) ?? { original: Reflect.getOwnPropertyDescriptor(object, key), holders: [] };
  const holder = { value };
  set(object, key, value);
  changes.set(key, change);
  change.holders.push(holder);
  return () => {
    change.holders.splice(change.holders.indexOf(holder), 1);
    const last = change.holders.at(-1);
    if (last) return set(object, key, last.value);
    changes.delete(key);
    if (change.original) Object.defineProperty(object, key, change.original);
    else Reflect.deleteProperty(object, key);
  };
}

function set(object: object, key: PropertyKey, value: unknown): void {
  if (value === undefined ? !Reflect.deleteProperty(object, key) : !Reflect.set(object, key, value))
    throw new TypeError(`The property ${String(key)} cannot be set.`);
}
