/** What can be exported, and how: the contract of both clients. */
import { BatutaError } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import type { RunFilter } from '../../store/store.ts';

export const exportKinds = ['runs', 'task-runs', 'transitions', 'logs', 'statistics'] as const;
export type ExportKind = (typeof exportKinds)[number];

export const exportFormats = ['csv', 'json', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/**
 * Of which runs. `statistics` take `flow`, `deployment`, `since` and `until` alone. A run that was created after the export began is never in it.
 */
export interface ExportFilter extends Omit<RunFilter, 'limit' | 'cursor'> {
  /** Of log lines: lowest level, pino's numbers (30 is info). Default all. */
  readonly minLevel?: number;
  /** Of statistics: how finely the instant of creation is told. Default `day`. */
  readonly by?: 'hour' | 'day';
}

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly filter?: ExportFilter;
  /** Told, now and then, how many rows there have been. Over HTTP nobody knows. */
  readonly onRows?: (rows: number) => void;
  /** Ends it before the next read: what takes the bytes fails with its reason. */
  readonly signal?: AbortSignal;
}

export interface ExportsClient {
  /**
   * The bytes of the export as they are made, no faster than they are taken. Runs are read newest first in short reads, between which everybody else
   * writes: each row is as it was when it was read, and each run is in it once at most.
   *
   * @throws BatutaError FILTER_INVALID, STORE_…; over HTTP what the server answers, and SERVER_UNREACHABLE where it breaks off
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

/** @throws BatutaError FILTER_INVALID for what this export cannot be asked by */
export function checkExport(kind: ExportKind, format: string, filter: ExportFilter): void {
  if (!(exportKinds as readonly string[]).includes(kind)) throw invalid(`There is no export of '${String(kind)}'.`, 'kind');
  if (!(exportFormats as readonly string[]).includes(format))
    throw invalid(`'${format}' is no format of an export.${hintFor(format, exportFormats, 'There are')}`, 'format');
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
