/** Records as the bytes of a Parquet file, streamed: to a request, an object, standard output. */
import { checkCount } from './options.ts';
import { ParquetEncoder } from './parquet-encoder.ts';
import type { ParquetType } from './parquet-values.ts';
import { readerOf, type Records } from './reading.ts';
import { checkedColumns } from './write-parquet.ts';

/** Options of `toParquet`. */
export interface ToParquetOptions<Row extends object> {
  /** Type of each column, in order. Other fields are left out; null and undefined are null. */
  readonly columns: { readonly [Name in keyof Row & string]?: ParquetType };
  /** Rows per row group, held in memory. Default 10,000; fewer if their text reaches 8 MiB. */
  readonly rowsPerGroup?: number | undefined;
  /** Name in messages. Default `Parquet`. */
  readonly name?: string | undefined;
}

const charsPerGroup = 8 * 1024 * 1024;

/**
 * The bytes of a Parquet file with these records, piece by piece: a row group is yielded once full. The file is complete only at the end.
 * Without records it is a file without rows.
 *
 * All records are held until the end: no position is confirmed before.
 *
 * @throws BatutaError RECORD_INVALID for a value its column does not take; OPTION_INVALID
 */
export async function* toParquet<Row extends object>(
  records: Records<Row>,
  { columns, rowsPerGroup = 10_000, name = 'Parquet' }: ToParquetOptions<Row>,
): AsyncGenerator<Uint8Array, void, void> {
  checkCount('toParquet', 'rowsPerGroup', rowsPerGroup);
  const types = checkedColumns('toParquet', columns);
  const pieces: Uint8Array[] = [];
  const encoder = await ParquetEncoder.open(types, {
    name,
    rowsPerGroup,
    charsPerGroup,
    // Its buffer is reused.
    write: async (bytes) => void pieces.push(bytes.slice()),
  });
  const reader = readerOf(records);
  try {
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      if (!encoder.put(next.value, reader.read - 1)) continue;
      await encoder.flush();
      yield* pieces.splice(0);
    }
    await encoder.finish();
    yield* pieces.splice(0);
    reader.release(reader.read);
  } finally {
    await reader.return();
  }
}
