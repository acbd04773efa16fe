/** A file that is made as it is read, so that no test holds it: pieces of 64 KiB, each of other bytes than the one before. */
import { createHash } from 'node:crypto';

const pieceBytes = 64 * 1024;

export function* largeFile(bytes: number): Generator<Uint8Array> {
  for (let from = 0, at = 0; from < bytes; from += pieceBytes, at++) {
    const piece = new Uint8Array(Math.min(pieceBytes, bytes - from)).fill(at % 251);
    new DataView(piece.buffer).setUint32(0, at);
    yield piece;
  }
}

/** SHA-256 of it, hex. */
export function hashOfLargeFile(bytes: number): string {
  const hash = createHash('sha256');
  for (const piece of largeFile(bytes)) hash.update(piece);
  return hash.digest('hex');
}
