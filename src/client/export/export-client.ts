/** What can be exported, and how: the contract of both clients. */
import { BatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import type { RunFilter } from '../../store/store.ts';

export const exportKinds = ['runs', 'task-runs', 'transitions', 'logs', 'statistics'] as const;
export type ExportKind = (typeof exportKinds)[number];

export const exportFormats = ['csv', 'json', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Selects runs. `statistics` take only `flow`, `deployment`, `since` and `until`. A run created after the export began is never in it. */
export interface ExportFilter extends Omit<RunFilter, 'limit' | 'cursor'> {
  /** Lowest level of log lines, pino's numbers (30 is info). Default all. */
  readonly minLevel?: number;
  /** Granularity of the instant of creation in statistics. Default `day`. */
  readonly by?: 'hour' | 'day';
}

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly filter?: ExportFilter;
  /** Called now and then with the number of rows so far; not over HTTP. */
  readonly onRows?: (rows: number) => void;
  /** Ends it before the next read: the consumer is thrown its reason. */
  readonly signal?: AbortSignal;
}

export interface ExportsClient {
  /**
   * The bytes of the export as they are made, no faster than they are consumed. Runs are read newest first in short reads that let other
   * writers in between: each row is as it was when read, and each run is in it at most once.
   *
   * @throws BatutaError FILTER_INVALID, STORE_…; over HTTP what the server answers, and SERVER_UNREACHABLE if it breaks off
   */
  bytes(kind: ExportKind, options: ExportOptions): AsyncIterable<Uint8Array>;
}

/** Filters that only some exports have. */
const onlyOf: Readonly<Record<'minLevel' | 'by', ExportKind>> = { minLevel: 'logs', by: 'statistics' };
const ofStatistics: readonly string[] = ['flow', 'deployment', 'since', 'until', 'by'];
const ofRuns: readonly string[] = [
  ...['flow', 'deployment', 'states', 'tag', 'since', 'until', 'queue', 'backfillId', 'scheduleId', 'search', 'parentRunId'],
  ...['minLevel', 'by'],
];

/** @throws BatutaError FILTER_INVALID for filters this export lacks */
export function checkExport(kind: ExportKind, format: string, filter: ExportFilter): void {
  if (!(exportKinds as readonly string[]).includes(kind)) throw invalid(`There is no export of '${String(kind)}'.`, 'kind');
  if (!(exportFormats as readonly string[]).includes(format))
    throw invalid(`'${format}' is not an export format.${hintFor(format, exportFormats, 'There are')}`, 'format');
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined) continue;
    const only = (onlyOf as Readonly<Record<string, ExportKind>>)[name];
    const known = kind === 'statistics' ? ofStatistics : ofRuns.filter((one) => only === undefined || only === kind || one !== name);
    if (!known.includes(name)) throw invalid(`An export of ${kind} has no filter '${name}'.${hintFor(name, known, 'It has')}`, name);
  }
}

function invalid(message: string, filter: string): BatutaError {
  return new BatutaError('FILTER_INVALID', message, { details: { filter } });
}
