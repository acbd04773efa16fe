/** Splits a process's output into lines. */
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import { cutText } from '../../base/cut-text.ts';

/** Maximum length of a line, characters; longer ones are passed on in parts. */
const maxLineChars = 64 * 1024;

export class PrintedLines {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  /** Passes on all lines of a stream. Resolves when it ends or fails; at once without one. */
  async readAll(stream: Readable | null): Promise<void> {
    if (stream === null) return;
    await new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => this.#add(this.#decoder.write(chunk)));
      stream.on('error', () => resolve());
      stream.on('close', () => resolve());
    });
    this.#add(this.#decoder.end());
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
  }

  #add(text: string): void {
    const lines = `${this.#rest}${text}`.split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    while (this.#rest.length > maxLineChars) {
      const part = cutText(this.#rest, maxLineChars);
      this.#take(part);
      this.#rest = this.#rest.slice(part.length);
    }
  }
}
