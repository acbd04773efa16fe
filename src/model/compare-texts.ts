/** Two texts compared line by line. Pure. */
import { diffLines } from 'diff';

/** Time after which texts count as too different to compare line by line, ms. */
const patienceMs = 1_000;

/** Consecutive lines: in both, only in the first, or only in the second. */
export interface TextPart {
  readonly is: 'same' | 'removed' | 'added';
  readonly lines: readonly string[];
}

export interface TextComparison {
  readonly isSame: boolean;
  /** In text order, removed lines before their replacements. */
  readonly parts: readonly TextPart[];
  /** Lines added and removed. */
  readonly added: number;
  readonly removed: number;
  /** Too little in common: all of the first is removed, all of the second added. */
  readonly isWhole: boolean;
}

export function compareTexts(before: string, after: string): TextComparison {
  if (before === after) return { isSame: true, parts: [{ is: 'same', lines: linesOf(after) }], added: 0, removed: 0, isWhole: false };
  const found = diffLines(before, after, { timeout: patienceMs });
  const parts: TextPart[] =
    found === undefined
      ? [
          { is: 'removed', lines: linesOf(before) },
          { is: 'added', lines: linesOf(after) },
        ]
      : found.map(({ added, removed, value }) => ({ is: added ? 'added' : removed ? 'removed' : 'same', lines: linesOf(value) }));
  const count = (is: TextPart['is']): number => parts.reduce((sum, part) => sum + (part.is === is ? part.lines.length : 0), 0);
  return { isSame: false, parts, added: count('added'), removed: count('removed'), isWhole: found === undefined };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
