/** A Parquet file that is being written: rows are collected until a row group is full, which then goes to the disk. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeId } from '../../base/id.ts';
import { recordInvalid } from './input.ts';
import { type ParquetType, parquetTypes } from './parquet-values.ts';

/** A Parquet file that was written. */
export interface WrittenFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Ending of files that are being written. */
const half = '.batuta-half';

type Library = typeof import('hyparquet-writer');
type Columns = readonly (readonly [string, ParquetType])[];

export class ParquetFile {
  readonly path: string;
  readonly #columns: Columns;
  readonly #rowsPerGroup: number;
  readonly #beside: string;
  readonly #handle: FileHandle;
  readonly #writer: InstanceType<Library['ParquetWriter']>;
  readonly #bytes: { readonly offset: number; flush(): Promise<void> };
  #group: unknown[][];
  #inGroup = 0;
  #rows = 0;
  #isOpen = true;

  private constructor(
    library: Library,
    file: { path: string; beside: string; handle: FileHandle },
    columns: Columns,
    rowsPerGroup: number,
  ) {
    this.path = file.path;
    this.#beside = file.beside;
    this.#handle = file.handle;
    this.#columns = columns;
    this.#rowsPerGroup = rowsPerGroup;
    this.#group = columns.map(() => []);
    const bytes = bytesFor(library, file.handle);
    this.#bytes = bytes;
    const columnData = columns.map(([name, type]) => ({ name, type, data: [] }));
    this.#writer = new library.ParquetWriter({ writer: bytes, schema: library.schemaFromColumnData({ columnData }), createdBy: 'batuta' });
  }

  /** Begins a file beside its place; missing folders are made. */
  static async create(path: string, columns: Columns, rowsPerGroup: number): Promise<ParquetFile> {
    const library = await import('hyparquet-writer');
    await mkdir(dirname(path), { recursive: true });
    const beside = `${path}.${makeId()}${half}`;
    return new ParquetFile(library, { path, beside, handle: await open(beside, 'wx') }, columns, rowsPerGroup);
  }

  /** Takes a row. @returns whether a row group is full, and `flush` is to be awaited. @throws BatutaError RECORD_INVALID */
  put(row: object, record: number): boolean {
    for (const [at, [name, type]] of this.#columns.entries()) this.#group[at]?.push(this.#valueOf(row, name, type, record));
    this.#rows++;
    return ++this.#inGroup >= this.#rowsPerGroup;
  }

  #valueOf(row: object, name: string, type: ParquetType, record: number): unknown {
    const value: unknown = (row as Readonly<Record<string, unknown>>)[name] ?? null;
    if (value === null) return null;
    const converted = parquetTypes[type].convert(value);
    if (converted !== undefined) return converted;
    const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value).slice(0, 60);
    throw recordInvalid(this.path, { record }, `has ${shown} in the column '${name}' of ${type}, which takes ${parquetTypes[type].takes}`);
  }

  /** Writes the rows so far as a row group. */
  async flush(): Promise<void> {
    if (this.#inGroup === 0) return;
    const columnData = this.#columns.map(([name, type], at) => ({ name, type, data: this.#group[at] ?? [] }));
    await this.#writer.write({ columnData, rowGroupSize: this.#inGroup });
    this.#group = this.#columns.map(() => []);
    this.#inGroup = 0;
  }

  /** Writes the end of the file, so that it is whole and safe on the disk; it is not in its place yet. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#writer.finish();
    await this.#bytes.flush();
    await this.#handle.sync();
    await this.#close();
  }

  /** Puts it into its place, over what was there. */
  async publish(): Promise<WrittenFile> {
    await rename(this.#beside, this.path);
    return { path: this.path, rows: this.#rows, bytes: this.#bytes.offset };
  }

  /** Removes what was written, unless it is in its place. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#beside, { force: true });
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** What the library writes into: the bytes of a row group are held until it asks for them to be written. */
function bytesFor({ ByteWriter }: Library, handle: FileHandle) {
  class FileBytes extends ByteWriter {
    async flush(): Promise<void> {
      await handle.writeFile(this.getBytes());
      this.index = 0;
    }
  }
  return new FileBytes(64 * 1024);
}
