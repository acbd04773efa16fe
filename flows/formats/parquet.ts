/** Parquet by columns, one row group at a time, so that a file of any size fits into little memory. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type BasicType, parquetWriteFile } from 'hyparquet-writer';

/** Some columns of one row group; position `i` of each belongs to the same row. */
export interface RowGroup<Row> {
  readonly rows: number;
  /** Rows of the whole file. */
  readonly totalRows: number;
  readonly columns: { readonly [Name in keyof Row]: ArrayLike<Row[Name]> };
}

/**
 * Yields the named columns, group by group, in the order of the file.
 *
 * Timestamps come as epoch milliseconds, 64-bit integers as bigint. The shape `Row` is what you know of the file; it is not checked.
 *
 * @throws Error when the file is missing or lacks one of the columns
 */
export async function* readRowGroups<Row>(path: string, columns: readonly (keyof Row & string)[]): AsyncGenerator<RowGroup<Row>> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const parsers = { timestampFromMicroseconds: (micros: bigint): number => Number(micros / 1000n) };
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    const found: Record<string, ArrayLike<unknown>> = {};
    const onChunk = (chunk: { columnName: string; columnData: ArrayLike<unknown> }): void => {
      found[chunk.columnName] = chunk.columnData;
    };
    await parquetRead({ file, metadata, columns: [...columns], rowStart, rowEnd, compressors, parsers, onChunk });
    yield { rows: rowEnd - rowStart, totalRows: Number(metadata.num_rows), columns: found as RowGroup<Row>['columns'] };
    rowStart = rowEnd;
  }
}

/**
 * Writes a list of objects as a Parquet file, replacing what was there; missing folders are made.
 *
 * @param types name and type of each column, in their order
 */
export async function writeParquet<Row extends object>(
  path: string,
  rows: readonly Row[],
  types: { readonly [Name in keyof Row & string]: BasicType },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const names = Object.keys(types) as (keyof Row & string)[];
  parquetWriteFile({ filename: path, columnData: names.map((name) => ({ name, type: types[name], data: rows.map((row) => row[name]) })) });
}
