/** The body of an answer as a stream. */

/**
 * Its pieces until it ends. It is closed at the end, or once the reader stops.
 *
 * The reader is thrown the reason of `signal` as soon as that aborts, whatever the stream does: Node.js 20 never settles a read that is
 * aborted just as the answer ends.
 */
export async function* piecesOf(body: ReadableStream<Uint8Array> | null, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return;
  const reader = body.getReader();
  let leave: (reason: unknown) => void = () => undefined;
  const onAbort = (): void => leave(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const read = await new Promise<Awaited<ReturnType<typeof reader.read>>>((resolve, reject) => {
        leave = reject;
        reader.read().then(resolve, reject);
      });
      if (read.done) return;
      yield read.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: it could hang.
    reader.cancel().catch(() => undefined);
  }
}

/** Its lines, without line ends, and without empty ones. @throws what the pieces throw */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}
