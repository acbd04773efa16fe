/** How two versions of an artifact differ. Pure; for the command line, the dashboard and programs. */
import { BatutaError } from '../base/errors.ts';
import { isChartData } from './chart.ts';
import { compareTables, isTelling, type TableComparison } from './compare-tables.ts';
import { compareTexts, type TextComparison } from './compare-texts.ts';
import type { Artifact } from './run.ts';

type Compared = Pick<Artifact, 'id' | 'kind' | 'name' | 'data'>;

/** A fact that differs. */
export interface FactChange {
  readonly fact: string;
  readonly before: unknown;
  readonly after: unknown;
}

export type ArtifactComparison = {
  readonly kind: Artifact['kind'];
  readonly isSame: boolean;
} & (
  | { readonly as: 'text'; readonly text: TextComparison }
  /** Tables, rejected records and charts: one row per place on the axis, one column per series. */
  | { readonly as: 'table'; readonly table: TableComparison }
  /** Files and images: size, hash, type, name, where different. */
  | { readonly as: 'facts'; readonly facts: readonly FactChange[] }
);

/** @param by column by which rows are matched @throws BatutaError ARTIFACT_INVALID */
export function compareArtifacts(before: Compared, after: Compared, { by }: { readonly by?: string } = {}): ArtifactComparison {
  const { kind } = after;
  if (before.kind !== kind)
    throw new BatutaError(
      'ARTIFACT_INVALID',
      `A ${before.kind} cannot be compared with a ${kind}: ${before.id} and ${after.id} are of different kinds.`,
      { details: { before: before.kind, after: kind } },
    );
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)];
  if (rowsBefore !== null && rowsAfter !== null) {
    // Chart points that share a place differ only in order.
    const axis = [rowsBefore, rowsAfter].every((rows) => kind === 'chart' && isTelling(rows, 'x')) ? 'x' : null;
    const table = compareTables(rowsBefore, rowsAfter, kind === 'chart' ? axis : by);
    return { kind, isSame: table.isSame, as: 'table', table };
  }
  if (kind === 'file' || kind === 'image') {
    const facts = factsOf(before.data, after.data);
    return { kind, isSame: facts.length === 0, as: 'facts', facts };
  }
  const text = compareTexts(textOf(before), textOf(after));
  return { kind, isSame: text.isSame, as: 'text', text };
}

type Row = Readonly<Record<string, unknown>>;

/** Rows of what is compared as a table; otherwise null. */
function rowsOf({ kind, data }: Compared): readonly Row[] | null {
  if (kind === 'chart' && isChartData(data))
    return data.x.map((x, at) => ({
      ...Object.fromEntries(data.series.map(({ name, values }) => [name === 'x' ? 'x (series)' : name, values[at] ?? null])),
      x,
    }));
  if ((kind !== 'table' && kind !== 'rejects') || !Array.isArray(data)) return null;
  return data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row)) ? (data as Row[]) : null;
}

function textOf({ data }: Compared): string {
  return typeof data === 'string' ? data : JSON.stringify(data, null, 2);
}

function factsOf(before: unknown, after: unknown): readonly FactChange[] {
  const [a, b] = [before ?? {}, after ?? {}] as [Row, Row];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((fact) =>
    a[fact] === b[fact] ? [] : [{ fact, before: a[fact] ?? null, after: b[fact] ?? null }],
  );
}
