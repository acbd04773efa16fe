/** Resolves part of an id, and reports ambiguity. Pure. */
import { BatutaError, type ErrorCode } from '../base/errors.ts';
import { fitsId } from './ids.ts';

/** A possible match of an id, with what people know it by. */
export interface IdCandidate {
  readonly id: string;
  /** E.g. `quick-otter of sync`. */
  readonly label: string;
}

/** What is searched: the code of the error, and its plural, e.g. `runs`. */
export interface IdKind {
  readonly code: ErrorCode;
  readonly plural: string;
}

/** Most candidates that an error lists. */
export const maxCandidates = 5;

/**
 * The match in a list; null if there is none.
 *
 * @throws BatutaError of the kind's code if several fit
 */
export function pickById<T extends { readonly id: string }>(
  items: readonly T[],
  typed: string,
  kind: IdKind,
  label: (item: T) => string,
): T | null {
  const fitting = items.filter(({ id }) => fitsId(id, typed));
  const [first] = fitting;
  if (first === undefined) return null;
  const exact = fitting.find(({ id }) => id === typed);
  if (exact !== undefined || fitting.length === 1) return exact ?? first;
  const candidates = fitting.map((item) => ({ id: item.id, label: label(item) }));
  throw ambiguousId(kind, typed, candidates, candidates.length);
}

/** The error if several fit. `details` hold `id`, `count` and `candidates` (at most five, of `{ id, label }`). */
export function ambiguousId(
  { code, plural }: IdKind,
  typed: string,
  candidates: readonly IdCandidate[],
  count: number | null,
): BatutaError {
  const listed = candidates.slice(0, maxCandidates);
  const many = count === null ? `more than ${listed.length}` : String(count);
  const among = count !== null && count <= listed.length ? '' : 'among them ';
  const named = listed.map(({ id, label }) => `${id} (${label})`).join(', ');
  return new BatutaError(
    code,
    `The id "${typed}" is ambiguous, ${many} ${plural} begin or end so: ${among}${named}. Give more of its characters.`,
    { details: { id: typed, count: count ?? undefined, candidates: listed } },
  );
}
