/**
 * The two output streams of the command line: writing, terminal detection, and what happens when the reader is gone.
 *
 * A command gets a `Terminal` and never touches `process`, so that a test can pass its own.
 */
import { type ColorChoice, colorChoice } from '../base/config.ts';
import { type Input, openInput } from './input.ts';
import { type Paint, paintOf } from './render/shapes.ts';

/** One stream of a terminal. */
export interface Stream {
  /** Writes text unchanged. Does nothing once the reader is gone. */
  write(text: string): void;
  /** Writes a line. */
  line(text?: string): void;
  readonly isTty: boolean;
  readonly paint: Paint;
  /** Cells per line; 80 if unknown. */
  readonly columns: number;
  /** Lines; 24 if unknown. */
  readonly rows: number;
}

export interface Terminal {
  readonly out: Stream;
  readonly err: Stream;
  /** Aborts once standard output has no reader (`| head`). */
  readonly gone: AbortSignal;
  readonly cwd: string;
  readonly input: Input;
  /** Resolves once everything is written. */
  drain(): Promise<void>;
}

/** The terminal of this process. Call once: it handles broken pipes from then on. */
export function openTerminal(): Terminal {
  const gone = new AbortController();
  const choice = colorChoice();
  const out = streamOf(process.stdout, choice, gone);
  const err = streamOf(process.stderr, choice, new AbortController());
  const drains = [process.stdout, process.stderr].map(drainOf);
  return {
    out,
    err,
    gone: gone.signal,
    cwd: process.cwd(),
    input: openInput(),
    drain: async () => void (await Promise.all(drains.map((drain) => drain()))),
  };
}

function streamOf(stream: NodeJS.WriteStream, choice: ColorChoice, gone: AbortController): Stream {
  const write = stream.write.bind(stream);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    gone.abort();
  });
  const isTty = stream.isTTY ?? false;
  return {
    write: (text) => void (gone.signal.aborted || write(text)),
    line: (text = '') => void (gone.signal.aborted || write(`${text}\n`)),
    isTty,
    paint: paintOf(choice === 'always' || (choice === 'auto' && isTty)),
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}

/** Uses the stream's own write: at the end a capture may have replaced it, which does not wait. */
function drainOf(stream: NodeJS.WriteStream): () => Promise<void> {
  const write = stream.write.bind(stream) as (text: string, done: () => void) => boolean;
  return () =>
    new Promise((resolve) => {
      if (!stream.writable) resolve();
      else write('', () => resolve());
    });
}
