/** Caches computed results. */

/** `make` with a cache of its last `most` results by arguments; the oldest goes first. */
export function remembered<Args extends readonly (string | number)[], T>(most: number, make: (...args: Args) => T): (...args: Args) => T {
  const kept = new Map<string, { readonly value: T }>();
  return (...args) => {
    const key = args.join(' ');
    const known = kept.get(key);
    if (known !== undefined) return known.value;
    const value = make(...args);
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    kept.set(key, { value });
    return value;
  };
}
