/**
 * Captures what user code writes to standard output and standard error directly, so that it does not tear a live tree or a JSON
 * object. Only this process's own writes are seen; a child process that inherits the terminal bypasses it.
 */
import type { CommandContext } from './context.ts';

type Write = NodeJS.WriteStream['write'];

/** Sends the writes of both streams, or of one, to `take` until `stop` is called. */
export class OutputCapture {
  readonly #taken: { readonly stream: NodeJS.WriteStream; readonly original: Write; rest: string }[] = [];
  readonly #take: (text: string) => void;

  constructor(streams: readonly NodeJS.WriteStream[], take: (text: string) => void) {
    this.#take = take;
    for (const stream of streams) this.#redirect(stream);
  }

  /** Restores the streams, and flushes an unfinished line. May be called twice. */
  stop(): void {
    for (const { stream, original, rest } of this.#taken.splice(0)) {
      stream.write = original;
      if (rest !== '') this.#take(rest);
    }
  }

  #redirect(stream: NodeJS.WriteStream): void {
    const entry = { stream, original: stream.write, rest: '' };
    this.#taken.push(entry);
    stream.write = (chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
      const text = entry.rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      const end = text.lastIndexOf('\n') + 1;
      entry.rest = text.slice(end);
      if (end > 0) this.#take(text.slice(0, end));
      const callback = typeof encoding === 'function' ? encoding : done;
      if (callback) queueMicrotask(() => callback());
      return true;
    };
  }
}

type Done = (error?: Error | null) => void;

/** Loads user files; what they print while loading goes to standard error, so that standard output has only the answer. */
export async function loadQuietly<T>({ terminal }: CommandContext, load: () => Promise<T>): Promise<T> {
  const capture = new OutputCapture([process.stdout], terminal.err.write);
  try {
    return await load();
  } finally {
    capture.stop();
  }
}
