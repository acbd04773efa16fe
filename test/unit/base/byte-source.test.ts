import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cutOut, openSource } from '../../../src/base/byte-source.ts';
import { PulledSource } from '../../../src/define/pulled-source.ts';
import type { GuestMessage } from '../../../src/model/isolate-protocol.ts';
import { openFiles } from '../../support/open-files.ts';

test('bytes that go to another thread take nothing of their buffer along, and are not copied where they are all of it', () => {
  const whole = new Uint8Array([1, 2, 3]);
  expect(cutOut(whole)).toBe(whole);
  const part = cutOut(whole.subarray(1));
  expect([...part, part.buffer.byteLength]).toEqual([2, 3, 2]);
  // What is shared could still change on its way.
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  expect(cutOut(shared).buffer).toBeInstanceOf(ArrayBuffer);
});

test('pieces of a stream that are parts of a large buffer are sent alone', async () => {
  const large = new Uint8Array(1_000_000).fill(7);
  const sent: GuestMessage[] = [];
  async function* pieces() {
    yield large.subarray(10, 20);
    yield 'text';
  }
  const source = new PulledSource(pieces(), 'file', (message) => sent.push(message));
  for (let at = 0; at < 3; at++) await source.answer({ kind: 'pull', id: 1, isEnd: false });
  expect(sent).toMatchObject([{ piece: new Uint8Array(10).fill(7) }, { piece: 'text' }, { piece: null, failure: null }]);
  const [first] = sent;
  expect(first?.kind === 'piece' && first.piece instanceof Uint8Array && first.piece.buffer.byteLength).toBe(10);
});

test.runIf(process.platform === 'linux')('a file is closed once its reader has left, or it has ended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-source-'));
  const path = join(folder, 'large.bin');
  writeFileSync(path, Buffer.alloc(2_000_000, 7));
  const { pieces, fileName } = openSource({ path }, 'large');
  expect(fileName).toBe('large.bin');
  for await (const piece of pieces) {
    expect(piece).toHaveProperty('byteLength', 256 * 1024);
    expect(openFiles()).toContain(path);
    break;
  }
  expect(openFiles()).not.toContain(path);
  let bytes = 0;
  for await (const piece of openSource({ path }, 'large').pieces) bytes += (piece as Uint8Array).byteLength;
  expect(bytes).toBe(2_000_000);
  expect(openFiles()).not.toContain(path);
  const missing = openSource({ path: join(folder, 'none') }, 'large').pieces[Symbol.asyncIterator]();
  await expect(missing.next()).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
  rmSync(folder, { recursive: true });
});
