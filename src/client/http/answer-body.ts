/** The body of an answer, as it comes. */

/**
 * Its pieces until it ends. It is closed then, or once nobody wants more.
 *
 * Whoever reads is thrown the reason of `signal` as soon as that aborts, whatever the stream does: Node.js 20 leaves a read waiting for ever that is
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
    // Not awaited: what could hang is left to itself.
    reader.cancel().catch(() => undefined);
  }
}

/** Its lines, without their ends, and without empty ones. @throws what the pieces throw */
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
