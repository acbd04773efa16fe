/** Concurrency limits in words. Pure. */

/** Most holders that a text names. */
const maxNamed = 3;

/** Name of the limit on tasks of a tag. */
export function tagLimit(tag: string): string {
  return `tag:${tag}`;
}

/** State of a limit: `2 of 2 taken, by quick-otter and calm-heron`. @param names of holders; may be fewer than `held` */
export function takenText(held: number, slots: number, names: readonly string[]): string {
  const taken = slots === 0 ? 'it is 0, so nothing runs' : `${held} of ${slots} taken`;
  return names.length === 0 ? taken : `${taken}, by ${listText(names, held)}`;
}

/** `Waits for the limit tag:db (2 of 2 taken, by quick-otter and calm-heron).` */
export function waitText(name: string, held: number, slots: number, names: readonly string[]): string {
  return `Waits for the limit ${name} (${takenText(held, slots, names)}).`;
}

function listText(names: readonly string[], total: number): string {
  const distinct = [...new Set(names)];
  const named = distinct.slice(0, maxNamed);
  const more = names.length === distinct.length ? Math.max(total, distinct.length) - named.length : distinct.length - named.length;
  if (more > 0) return `${named.join(', ')} and ${more} more`;
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1) ?? ''}`;
}
