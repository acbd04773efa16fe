/** Records into Parquet files, one row group at a time, by `hyparquet-writer`. */
import { resolve } from 'node:path';
import { BatutaError } from '../../base/errors.ts';
import { checkCount } from './options.ts';
import { ParquetFile, type WrittenFile } from './parquet-file.ts';
import { type ParquetType, parquetTypes } from './parquet-values.ts';
import { readerOf, type Records } from './reading.ts';

/** Options of `writeParquet`. */
export interface WriteParquetOptions<Row extends object> {
  /** Type of each column, in order. Other fields are left out; null and undefined are null. */
  readonly columns: { readonly [Name in keyof Row & string]?: ParquetType };
  /** Rows per row group, held in memory for each file. Default 10,000. */
  readonly rowsPerGroup?: number | undefined;
  /** Most files written at the same time. Default 100. */
  readonly maxFiles?: number | undefined;
}

/**
 * Writes records to a Parquet file, or to several as `path` says for each record, e.g. one per month. Missing folders are created. Files
 * are moved into place, over existing ones, once all of them are whole; on failure, or if the process dies, none is.
 *
 * All records are held until then: no position is confirmed before the files are in place.
 *
 * @param path of the file; or the path for a record
 * @returns the files in the order they were begun; one without rows if `path` is text and there are no records
 * @throws BatutaError RECORD_INVALID for a value its column does not take; OPTION_INVALID, also for more than `maxFiles`
 * @example
 * ```ts
 * await writeParquet(flights, ({ at }) => `out/${at.getUTCFullYear()}.parquet`, { columns: { at: 'TIMESTAMP', delay: 'INT32' } });
 * ```
 */
export async function writeParquet<Row extends object>(
  records: Records<Row>,
  path: string | ((row: Row) => string),
  { columns, rowsPerGroup = 10_000, maxFiles = 100 }: WriteParquetOptions<Row>,
): Promise<WrittenFile[]> {
  checkCount('writeParquet', 'rowsPerGroup', rowsPerGroup);
  checkCount('writeParquet', 'maxFiles', maxFiles);
  const types = checkedColumns('writeParquet', columns);
  const files = new Set<ParquetFile>();
  /** By their paths as given, and as absolute paths: two ways of writing one path are one file. */
  const byPath = new Map<string, ParquetFile>();
  const open = async (at: string): Promise<ParquetFile> => {
    const known = byPath.get(resolve(at));
    if (known === undefined && files.size >= maxFiles) throw tooManyFiles(at, maxFiles);
    const file = known ?? (await ParquetFile.create(at, types, rowsPerGroup));
    files.add(file);
    byPath.set(at, file).set(resolve(at), file);
    return file;
  };
  const reader = readerOf(records);
  try {
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      const at = typeof path === 'string' ? path : pathFor(next.value, path);
      const file = byPath.get(at) ?? (await open(at));
      if (file.put(next.value, reader.read - 1)) await file.flush();
    }
    if (typeof path === 'string' && files.size === 0) await open(path);
    for (const file of files) await file.finish();
    const written: WrittenFile[] = [];
    for (const file of files) written.push(await file.publish());
    reader.release(reader.read);
    return written;
  } finally {
    await Promise.all([...files].map((file) => file.discard()));
    await reader.return();
  }
}

/** @throws BatutaError OPTION_INVALID */
export function checkedColumns(by: string, columns: Readonly<Record<string, ParquetType | undefined>>): (readonly [string, ParquetType])[] {
  const types = Object.entries(columns).flatMap(([name, type]) => (type === undefined ? [] : [[name, type] as const]));
  const unknown = types.find(([, type]) => !Object.hasOwn(parquetTypes, type));
  if (types.length > 0 && unknown === undefined) return types;
  const known = Object.keys(parquetTypes).join(', ');
  const why = unknown === undefined ? 'columns names no column' : `the column '${unknown[0]}' has the type ${String(unknown[1])}`;
  throw new BatutaError('OPTION_INVALID', `${by}: ${why}; the types are ${known}.`, { details: { known } });
}

function pathFor<Row>(row: Row, path: (row: Row) => string): string {
  const at: unknown = path(row);
  if (typeof at === 'string' && at !== '') return at;
  throw new BatutaError(
    'OPTION_INVALID',
    `writeParquet: path must return the path of a file, not ${at === '' ? 'an empty text' : String(at)}.`,
  );
}

function tooManyFiles(path: string, maxFiles: number): BatutaError {
  return new BatutaError(
    'OPTION_INVALID',
    `writeParquet: ${path} would be file ${maxFiles + 1}, and maxFiles is ${maxFiles}. Each holds a row group in memory: divide the records more coarsely, or raise it.`,
    { details: { path, maxFiles } },
  );
}
