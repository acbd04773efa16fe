/** Converts values for Parquet columns: each is checked, as the library accepts some of the wrong type. */

/** Column types. Null and undefined are null in all of them. */
export type ParquetType = 'BOOLEAN' | 'INT32' | 'INT64' | 'DOUBLE' | 'STRING' | 'JSON' | 'TIMESTAMP' | 'BYTE_ARRAY' | 'UUID';

interface TypeOfColumn {
  /** What it takes, to end a sentence. */
  readonly takes: string;
  /** The value as written; undefined if not accepted. */
  readonly convert: (value: unknown) => unknown;
}

const maxInt32 = 2 ** 31 - 1;
const maxInt64 = 2n ** 63n - 1n;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const only =
  (isTaken: (value: unknown) => boolean) =>
  (value: unknown): unknown =>
    isTaken(value) ? value : undefined;

export const parquetTypes: Readonly<Record<ParquetType, TypeOfColumn>> = {
  BOOLEAN: { takes: 'true and false', convert: only((value) => typeof value === 'boolean') },
  INT32: {
    takes: `whole numbers from ${-maxInt32 - 1} to ${maxInt32}`,
    convert: only((value) => Number.isInteger(value) && Number(value) <= maxInt32 && Number(value) >= -maxInt32 - 1),
  },
  INT64: { takes: 'whole numbers and bigints of 64 bits', convert: toInt64 },
  DOUBLE: { takes: 'numbers', convert: only((value) => typeof value === 'number') },
  STRING: { takes: 'texts', convert: only((value) => typeof value === 'string') },
  JSON: { takes: 'what JSON can hold', convert: toJson },
  TIMESTAMP: { takes: 'dates', convert: only((value) => value instanceof Date && !Number.isNaN(value.getTime())) },
  BYTE_ARRAY: { takes: 'bytes', convert: only((value) => value instanceof Uint8Array) },
  UUID: { takes: 'UUIDs', convert: only((value) => typeof value === 'string' && uuid.test(value)) },
};

function toInt64(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === 'bigint' && value <= maxInt64 && value >= -maxInt64 - 1n ? value : undefined;
}

/** A copy, so that what cannot be JSON fails here. */
function toJson(value: unknown): unknown {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
