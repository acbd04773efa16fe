/** How one version of a deployment differs from the one before, in lines people read. Pure. */

/** One line a member that changed, e.g. `queue: default → heavy`; members inside are named by their path. */
export function specChanges(before: unknown, after: unknown): readonly string[] {
  return changesIn('', before, after);
}

function changesIn(path: string, before: unknown, after: unknown): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [old, now] = [membersOf(before), membersOf(after)];
  if (old === null || now === null) return [`${path === '' ? 'all of it' : path}: ${shown(before)} → ${shown(after)}`];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names.flatMap((name) => changesIn(path === '' ? name : `${path} ${name}`, old[name], now[name]));
}

/** Members of an object; a list of things with a slug or name has those for names. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  if (!value.every((item) => typeof item === 'object' && item !== null && 'slug' in item)) return null;
  return Object.fromEntries(value.map((item: { readonly slug: unknown }) => [String(item.slug), item]));
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
}
