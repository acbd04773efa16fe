/** Rows of a Parquet file, one row group at a time, by `hyparquet`. */
import { BatutaError } from '../../base/errors.ts';
import { recordInvalid } from './input.ts';
import { checkFrom } from './options.ts';
import { countedError } from './read-counts.ts';

export interface ParquetOptions {
  /** Columns to read. Default all. */
  readonly columns?: readonly string[] | undefined;
  /** First row, from 0, e.g. the one after `ctx.resumeFrom`. Earlier groups are not read. Default 0. */
  readonly from?: number | undefined;
}

/** Of a Parquet file: its mark at both ends, and the length of its metadata. */
const leastBytes = 12;

/** Consecutive rows of a Parquet file. */
export interface RowGroup<Row> {
  /** Number of its first row in the file, from 0. */
  readonly from: number;
  /** Rows of the whole file. */
  readonly total: number;
  readonly rows: readonly Row[];
}

/**
 * The row groups of a Parquet file in order, each read on request. Timestamps are dates, 64-bit integers bigint.
 *
 * @param path of a file
 * @throws BatutaError RECORD_INVALID for a truncated or non-Parquet file, with the row before which it is unreadable; OPTION_INVALID for a
 *   missing column, and a `from` that is no row
 */
export async function* parquetGroups<Row = Record<string, unknown>>(
  path: string,
  { columns, from = 0 }: ParquetOptions = {},
): AsyncGenerator<RowGroup<Row>, void, void> {
  checkFrom('parquet', 'from', from);
  const [{ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ]);
  const file = await asyncBufferFromFile(path);
  if (file.byteLength < leastBytes)
    throw countedError(
      recordInvalid(path, {}, `is no whole Parquet file: ${file.byteLength === 0 ? 'it is empty' : `it has ${file.byteLength} bytes`}`),
    );
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw countedError(recordInvalid(path, {}, `is no whole Parquet file: ${why}`, error));
  });
  const known = metadata.schema.slice(1).map(({ name }) => name);
  const missing = columns?.find((name) => !known.includes(name));
  if (missing !== undefined)
    throw new BatutaError('OPTION_INVALID', `${path} has no column '${missing}'. It has ${known.join(', ')}.`, {
      details: { path, missing },
    });
  const total = Number(metadata.num_rows);
  let begin = 0;
  for (const { num_rows } of metadata.row_groups) {
    const end = begin + Number(num_rows);
    const rowStart = Math.max(begin, from);
    if (rowStart < end) {
      const wanted = columns === undefined ? {} : { columns: [...columns] };
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd: end, ...wanted }).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw countedError(recordInvalid(path, { record: rowStart }, `cannot be read: ${why}`, error));
      });
      yield { from: rowStart, total, rows: rows as Row[] };
    }
    begin = end;
  }
}

/** The rows of a Parquet file in order. @throws as `parquetGroups` does */
export async function* parquet<Row = Record<string, unknown>>(path: string, options: ParquetOptions = {}): AsyncGenerator<Row, void, void> {
  for await (const { rows } of parquetGroups<Row>(path, options)) yield* rows;
}
