/** Makes shared values immutable. */

const changes: Readonly<Record<'Map' | 'Set' | 'Date', readonly string[]>> = {
  Map: ['set', 'delete', 'clear'],
  Set: ['add', 'delete', 'clear'],
  Date: Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set')),
};

/**
 * Freezes a value deeply: plain objects and lists, and Map, Set and Date, whose mutating methods then throw. False, with nothing frozen, if
 * it holds anything else, such as bytes, which cannot be frozen.
 */
export function freezeDeep(value: unknown): boolean {
  const objects = new Set<object>();
  const work: unknown[] = [value];
  while (work.length > 0) {
    const at = work.pop();
    if (typeof at !== 'object' || at === null || objects.has(at)) continue;
    objects.add(at);
    if (!pushInner(work, at)) return false;
  }
  for (const object of objects) freeze(object);
  return true;
}

/** Whether its kind can be frozen; if so, its contents are queued for a check. */
function pushInner(work: unknown[], at: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(at);
  if (prototype === Array.prototype) for (const inner of at as unknown[]) work.push(inner);
  else if (prototype === Object.prototype || prototype === null) for (const inner of Object.values(at)) work.push(inner);
  else if (prototype === Map.prototype) for (const [key, inner] of at as Map<unknown, unknown>) work.push(key, inner);
  else if (prototype === Set.prototype) for (const inner of at as Set<unknown>) work.push(inner);
  else return prototype === Date.prototype;
  return true;
}

function freeze(object: object): void {
  if (Object.isFrozen(object)) return;
  const kind = object instanceof Map ? 'Map' : object instanceof Set ? 'Set' : object instanceof Date ? 'Date' : null;
  if (kind !== null)
    for (const name of changes[kind]) Object.defineProperty(object, name, { value: () => refuse(kind), enumerable: false });
  Object.freeze(object);
}

function refuse(kind: string): never {
  throw new TypeError(`Cannot change this ${kind}: others share it. Make a copy of it first.`);
}
