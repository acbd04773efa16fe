/**
 * Any decoded value as plain JSON, for `--json`.
 *
 * Dates become ISO text, maps objects (or lists of pairs if a key is not a string), sets lists, big integers text, `undefined` inside a
 * list and numbers JSON cannot represent `null`, errors `{ name, message }`; a value inside itself becomes `"[circular]"`.
 */
export function plainJson(value: unknown): unknown {
  return convert(value, new Set()) ?? null;
}

function convert(value: unknown, above: Set<object>): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circular]';
  above.add(value);
  const plain = convertObject(value, above);
  above.delete(value);
  return plain;
}

function convertObject(value: object, above: Set<object>): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return convertMap(value, above);
  if (value instanceof Set || Array.isArray(value)) return Array.from(value, (item) => convert(item, above) ?? null);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as Iterable<unknown>, (item) => convert(item, above));
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, convert(item, above)] as const)
      .filter(([, item]) => item !== undefined),
  );
}

function convertMap(map: ReadonlyMap<unknown, unknown>, above: Set<object>): unknown {
  const pairs = [...map].map(([key, item]) => [convert(key, above) ?? null, convert(item, above) ?? null] as const);
  return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs as [string, unknown][]) : pairs;
}
