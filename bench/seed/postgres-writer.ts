/** Writes into PostgreSQL by COPY: one connection, one transaction for what is handed over at once. */
import pg from 'pg';
import type { Value } from '../../src/store/table.ts';
import type { BulkTable, BulkWriter } from './bulk-writer.ts';

/** Length of one message, characters; more gains nothing. */
const chunkChars = 1_000_000;

/** What `pg` hands a query that copies. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

export async function openPostgresWriter(url: string): Promise<BulkWriter> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('set synchronous_commit = off');
  // Their rows are written with the others, which is many times as fast.
  await client.query('alter table runs disable trigger runs_tagged');
  return {
    async write(tables) {
      await client.query('begin');
      for (const table of tables) await copy(client, table);
      await client.query('commit');
    },
    async close() {
      await client.query('alter table runs enable trigger runs_tagged');
      await client.query('analyze');
      await client.end();
    },
  };
}

function copy(client: pg.Client, { name, columns, rows }: BulkTable): Promise<void> {
  const { promise, resolve, reject } = later();
  client.query({
    callback: (error: Error | null | undefined) => (error ? reject(error) : resolve()),
    submit: (connection: CopyConnection) => connection.query(`copy ${name} (${columns.join(', ')}) from stdin`),
    handleCopyInResponse(connection: CopyConnection) {
      for (const chunk of chunksOf(rows)) connection.sendCopyFromChunk(chunk);
      connection.endCopyFrom();
    },
    handleError: (error: Error) => reject(error),
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => resolve(),
  } as unknown as pg.Submittable);
  return promise;
}

function* chunksOf(rows: readonly (readonly Value[])[]): Generator<Buffer> {
  let text = '';
  for (const row of rows) {
    for (let column = 0; column < row.length; column += 1) text += (column === 0 ? '' : '\t') + fieldOf(row[column] ?? null);
    text += '\n';
    if (text.length < chunkChars) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/** As the text form of COPY wants it. */
function fieldOf(value: Value): string {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (letter) => escapes[letter] ?? letter) : value;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function later(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
