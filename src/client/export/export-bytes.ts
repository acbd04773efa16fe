/** An export from an open store: rows in one of the formats, as bytes. */
import type { Clock } from '../../base/clock.ts';
import { toCsv, toNdjson, toParquet } from '../../kit/streams/index.ts';
import type { Store } from '../../store/store.ts';
import { checkExport, type ExportFormat, type ExportKind, type ExportOptions } from './export-client.ts';
import { exportColumns, type ExportRow, exportedRows } from './exported-rows.ts';

/** Rows between two progress reports. */
const rowsPerReport = 1_000;
/** Rows per piece of JSON. */
const pieceRows = 256;

/** See `ExportsClient.bytes`. */
export async function* exportBytes(store: Store, clock: Clock, kind: ExportKind, options: ExportOptions): AsyncGenerator<Uint8Array> {
  const { format, filter = {}, onRows, signal } = options;
  checkExport(kind, format, filter);
  const rows = counted(exportedRows(store, kind, filter, { now: clock.now(), signal }), onRows);
  for await (const piece of encoded(kind, format, rows)) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

function encoded(kind: ExportKind, format: ExportFormat, rows: AsyncIterable<ExportRow>): AsyncIterable<string | Uint8Array> {
  const columns = exportColumns[kind];
  if (format === 'parquet') return toParquet(rows, { columns, name: kind });
  const names = Object.keys(columns);
  // Messages and names come from strangers, and a spreadsheet could take some for formulas.
  if (format === 'csv') return toCsv(rows, { columns: names, escapeFormulas: true });
  const picked = pick(rows, names);
  return format === 'ndjson' ? toNdjson(picked) : toJson(picked);
}

/** One array, one element a line. */
async function* toJson(rows: AsyncIterable<ExportRow>): AsyncGenerator<string> {
  let piece: string[] = [];
  let isFirst = true;
  yield '[';
  for await (const row of rows) {
    piece.push(`${isFirst ? '\n' : ',\n'}${JSON.stringify(row)}`);
    isFirst = false;
    if (piece.length < pieceRows) continue;
    yield piece.join('');
    piece = [];
  }
  yield `${piece.join('')}${isFirst ? '' : '\n'}]\n`;
}

/** Each with all columns, in order. */
async function* pick(rows: AsyncIterable<ExportRow>, names: readonly string[]): AsyncGenerator<ExportRow, void, void> {
  for await (const row of rows) yield Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

async function* counted(
  rows: AsyncIterable<ExportRow>,
  onRows: ((rows: number) => void) | undefined,
): AsyncGenerator<ExportRow, void, void> {
  let count = 0;
  for await (const row of rows) {
    yield row;
    if (++count % rowsPerReport === 0) onRows?.(count);
  }
  onRows?.(count);
}
