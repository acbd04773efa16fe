/** Exports of 'batuta/streams': building blocks of sources, steps and ends of streams. */
export { at, Positioned } from '../../model/streams.ts';
export { batch, type BatchOptions, window } from './batch.ts';
export { csv, type CsvOptions } from './csv.ts';
export type { ResponseSource, Source, TextOptions } from './input.ts';
export { merge, tee } from './join.ts';
export { type BadRecord, lines, type LinesOptions, ndjson, type NdjsonOptions } from './lines.ts';
export { filter, map, type MapOptions } from './map.ts';
export { type CursorOptions, keyedRows, type Page, paginate, type PgQueries, pgRows } from './pages.ts';
export { parquet, parquetGroups, type ParquetOptions, type RowGroup } from './parquet.ts';
export type { WrittenFile } from './parquet-file.ts';
export type { ParquetType } from './parquet-values.ts';
export type { Records } from './reading.ts';
export { toCsv, type ToCsvOptions, toNdjson } from './to-text.ts';
export { toParquet, type ToParquetOptions } from './to-parquet.ts';
export { writeParquet, type WriteParquetOptions } from './write-parquet.ts';
