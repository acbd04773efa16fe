/** The body of an answer that stays open. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { linesOf, piecesOf } from '../../../src/client/http/answer-body.ts';

/** A stream that gives these pieces and then neither more nor an end, whatever happens. */
function silentAfter(...texts: readonly string[]): { readonly body: ReadableStream<Uint8Array>; readonly reasons: unknown[] } {
  const reasons: unknown[] = [];
  const left = [...texts];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const text = left.shift();
      if (text === undefined) return new Promise(() => undefined);
      controller.enqueue(Buffer.from(text));
      return undefined;
    },
    cancel: (reason) => void reasons.push(reason),
  });
  return { body, reasons };
}

test('whoever waits for more is thrown the reason of the signal, though the stream stays silent, which is closed', async () => {
  const stop = new AbortController();
  const { body, reasons } = silentAfter('a');
  const pieces = piecesOf(body, stop.signal);
  expect(Buffer.from((await pieces.next()).value ?? []).toString()).toBe('a');
  const more = pieces.next();
  stop.abort(new Error('enough'));
  await expect(more).rejects.toThrow('enough');
  expect(reasons).toHaveLength(1);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});

test('what has come already is not given after the signal', async () => {
  const stop = new AbortController();
  const { body } = silentAfter('a', 'b');
  const pieces = piecesOf(body, stop.signal);
  await pieces.next();
  stop.abort(new Error('enough'));
  await expect(pieces.next()).rejects.toThrow('enough');
});

test('a reader that leaves closes the stream, and one that reads to the end is told so', async () => {
  const { signal } = new AbortController();
  const { body, reasons } = silentAfter('a', 'b');
  for await (const _piece of piecesOf(body, signal)) break;
  expect([reasons.length, getEventListeners(signal, 'abort')]).toEqual([1, []]);
  const lines: string[] = [];
  for await (const line of linesOf(piecesOf(new Response('ä\nb\n\nc').body, signal))) lines.push(line);
  expect(lines).toEqual(['ä', 'b', 'c']);
  expect(await piecesOf(null, signal).next()).toEqual({ done: true, value: undefined });
});

test('an error of the stream is that of its reader', async () => {
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new TypeError('cut')) });
  await expect(piecesOf(body, new AbortController().signal).next()).rejects.toThrow('cut');
});
