/** Rows as the bytes of a Parquet file: collected until a row group is full, which then goes to the taker of the bytes. */
import { cutText } from '../../base/cut-text.ts';
import { checkRecord } from './reading.ts';
import { recordInvalid } from './input.ts';
import { type ParquetType, parquetTypes } from './parquet-values.ts';

type Library = typeof import('hyparquet-writer');
export type ParquetColumns = readonly (readonly [string, ParquetType])[];

export interface ParquetTarget {
  /** Of the file, for messages. */
  readonly name: string;
  readonly rowsPerGroup: number;
  /** Text at which a row group is full, characters. Default: only rows count. */
  readonly charsPerGroup?: number | undefined;
  /** Takes bytes, which are overwritten once it has resolved. */
  write(bytes: Uint8Array): Promise<void>;
}

export class ParquetEncoder {
  readonly #target: ParquetTarget;
  readonly #columns: ParquetColumns;
  readonly #writer: InstanceType<Library['ParquetWriter']>;
  readonly #bytes: { readonly offset: number; flush(): Promise<void> };
  #group: unknown[][];
  #inGroup = 0;
  #chars = 0;
  #rows = 0;

  private constructor(library: Library, columns: ParquetColumns, target: ParquetTarget) {
    this.#target = target;
    this.#columns = columns;
    this.#group = columns.map(() => []);
    const bytes = bytesFor(library, target);
    this.#bytes = bytes;
    const columnData = columns.map(([name, type]) => ({ name, type, data: [] }));
    this.#writer = new library.ParquetWriter({ writer: bytes, schema: library.schemaFromColumnData({ columnData }), createdBy: 'batuta' });
  }

  static async open(columns: ParquetColumns, target: ParquetTarget): Promise<ParquetEncoder> {
    return new ParquetEncoder(await import('hyparquet-writer'), columns, target);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Bytes so far, including those not yet written. */
  get bytes(): number {
    return this.#bytes.offset;
  }

  /** Takes a row. @returns whether a row group is full, and `flush` must be awaited. @throws BatutaError RECORD_INVALID */
  put(row: object, record: number): boolean {
    checkRecord(this.#target.name, row, record);
    for (const [at, [name, type]] of this.#columns.entries()) this.#group[at]?.push(this.#valueOf(row, name, type, record));
    this.#rows++;
    return ++this.#inGroup >= this.#target.rowsPerGroup || this.#chars >= (this.#target.charsPerGroup ?? Number.POSITIVE_INFINITY);
  }

  #valueOf(row: object, name: string, type: ParquetType, record: number): unknown {
    const value: unknown = (row as Readonly<Record<string, unknown>>)[name] ?? null;
    if (value === null) return null;
    const converted = parquetTypes[type].convert(value);
    if (this.#target.charsPerGroup !== undefined) this.#chars += charsOf(type === 'JSON' ? JSON.stringify(converted) : value);
    if (converted !== undefined) return converted;
    const shown = typeof value === 'string' ? JSON.stringify(cutText(value, 60)) : cutText(String(value), 60);
    const takes = `has ${shown} in the column '${name}' of ${type}, which takes ${parquetTypes[type].takes}`;
    throw recordInvalid(this.#target.name, { record }, takes);
  }

  /** Writes the rows so far as a row group. */
  async flush(): Promise<void> {
    if (this.#inGroup === 0) return;
    const columnData = this.#columns.map(([name, type], at) => ({ name, type, data: this.#group[at] ?? [] }));
    await this.#writer.write({ columnData, rowGroupSize: this.#inGroup });
    this.#group = this.#columns.map(() => []);
    this.#inGroup = 0;
    this.#chars = 0;
  }

  /** Writes the end of the file. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#writer.finish();
    await this.#bytes.flush();
  }
}

/** Text, or bytes, that a value takes in its row group. */
function charsOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

/** The library's writer: holds the bytes of a row group until the library asks to write them. */
function bytesFor({ ByteWriter }: Library, target: ParquetTarget) {
  class TargetBytes extends ByteWriter {
    async flush(): Promise<void> {
      if (this.index > 0) await target.write(this.getBytes());
      this.index = 0;
    }
  }
  return new TargetBytes(64 * 1024);
}
