/** Exports all runs of a store to a Parquet file, in this process. Takes the URL of the store and the file; prints one line of JSON. */
import { createWriteStream, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openClient } from 'batuta/client';
import { peakMemoryMb } from './measure.js';

const [databaseUrl = '', path = '', kind = 'runs'] = process.argv.slice(2);
let rows = 0;
const start = performance.now();
const client = await openClient({ databaseUrl, results: join(dirname(path), 'results') });
try {
  const bytes = client.exports.bytes(kind, { format: 'parquet', onRows: (count) => (rows = count) });
  await pipeline(bytes, createWriteStream(path));
} finally {
  await client.close();
}
const seconds = (performance.now() - start) / 1_000;
console.log(JSON.stringify({ rows, seconds, peakMb: peakMemoryMb(), bytes: statSync(path).size }));
