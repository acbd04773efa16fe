/** A Parquet file written under a temporary name and moved into place once whole. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeId } from '../../base/id.ts';
import { type ParquetColumns, ParquetEncoder } from './parquet-encoder.ts';

/** A written Parquet file. */
export interface WrittenFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Suffix of files being written. */
const half = '.batuta-half';

export class ParquetFile {
  readonly path: string;
  readonly #beside: string;
  readonly #handle: FileHandle;
  readonly #encoder: ParquetEncoder;
  #isOpen = true;

  private constructor(file: { path: string; beside: string; handle: FileHandle; encoder: ParquetEncoder }) {
    this.path = file.path;
    this.#beside = file.beside;
    this.#handle = file.handle;
    this.#encoder = file.encoder;
  }

  /** Begins a file next to its place; creates missing folders. */
  static async create(path: string, columns: ParquetColumns, rowsPerGroup: number): Promise<ParquetFile> {
    await mkdir(dirname(path), { recursive: true });
    const beside = `${path}.${makeId()}${half}`;
    const handle = await open(beside, 'wx');
    try {
      const encoder = await ParquetEncoder.open(columns, { name: path, rowsPerGroup, write: (bytes) => handle.writeFile(bytes) });
      return new ParquetFile({ path, beside, handle, encoder });
    } catch (error) {
      await handle.close();
      await rm(beside, { force: true });
      throw error;
    }
  }

  /** See `ParquetEncoder.put`. */
  put(row: object, record: number): boolean {
    return this.#encoder.put(row, record);
  }

  /** Writes the rows so far as a row group. */
  flush(): Promise<void> {
    return this.#encoder.flush();
  }

  /** Writes the end of the file, so that it is whole and safe on disk, though not yet in its place. */
  async finish(): Promise<void> {
    await this.#encoder.finish();
    await this.#handle.sync();
    await this.#close();
  }

  /** Moves it into place, over what was there. */
  async publish(): Promise<WrittenFile> {
    await rename(this.#beside, this.path);
    return { path: this.path, rows: this.#encoder.rows, bytes: this.#encoder.bytes };
  }

  /** Removes what was written, unless it is in place. */
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
