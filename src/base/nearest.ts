/** "Did you mean": the names most similar to an unknown one. */
import { distance } from 'fastest-levenshtein';

/** Longer names are not compared letter by letter. */
const maxComparedChars = 64;
/** More candidates than this are not compared. */
const maxCandidates = 20_000;

/**
 * The known names nearest to `wanted`, best first; empty if none is near (more than a third of the letters differ).
 *
 * @param limit at most how many, default 3
 */
export function nearestNames(wanted: string, known: Iterable<string>, limit = 3): string[] {
  const target = wanted.slice(0, maxComparedChars).toLowerCase();
  const allowed = Math.max(1, Math.floor(target.length / 3));
  const found: { name: string; letters: number }[] = [];
  let looked = 0;
  for (const name of known) {
    if (++looked > maxCandidates) break;
    const candidate = name.slice(0, maxComparedChars).toLowerCase();
    if (Math.abs(candidate.length - target.length) > allowed) continue;
    const letters = distance(target, candidate);
    if (letters <= allowed) found.push({ name, letters });
  }
  return found
    .sort((a, b) => a.letters - b.letters || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map((entry) => entry.name);
}

/** A sentence for after "… is unknown.": ` Did you mean 'a'?`, else ` <label>: a, b, c.` with the first ten, else nothing. */
export function hintFor(wanted: string, known: readonly string[], label: string): string {
  const [best] = nearestNames(wanted, known, 1);
  if (best !== undefined) return ` Did you mean '${best}'?`;
  if (known.length === 0) return '';
  return ` ${label}: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ` and ${known.length - 10} more` : ''}.`;
}
