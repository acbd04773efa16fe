/** The bytes of a file on disk, in chunks. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { settledWithin, systemClock } from './clock.ts';

const pieceBytes = 256 * 1024;
/** How long an unwanted pipe or device may take to close, ms. */
const closeMs = 1_000;

/** Opened on first use, and closed at its end or when nobody wants more. @throws Error of the file system, which names the path */
export async function* filePieces(path: string): AsyncGenerator<Uint8Array, void, void> {
  const found = await stat(path).catch(() => null);
  // Reading it fails without its path.
  if (found?.isDirectory()) throw Object.assign(new Error(`EISDIR: '${path}' is a folder, not a file`), { code: 'EISDIR', path });
  const file = createReadStream(path, { highWaterMark: pieceBytes });
  const closed = new Promise<void>((resolve) => file.once('close', () => resolve()));
  try {
    yield* file as AsyncIterable<Uint8Array>;
  } finally {
    file.destroy();
    // A pipe with a silent writer closes only once the writer continues.
    if (found?.isFile()) await closed;
    else await settledWithin(systemClock, closeMs, closed);
  }
}
