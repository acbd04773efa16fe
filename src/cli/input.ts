/** Input of a command: standard input to its end, or a line typed without echo. */
import { BatutaError } from '../base/errors.ts';

export interface Input {
  readonly isTty: boolean;
  /** All of standard input. @throws BatutaError OPTION_INVALID if it is longer than `maxBytes` */
  readAll(maxBytes: number): Promise<string>;
  /** Prompts without echo. @throws BatutaError USAGE if cancelled with Ctrl-C or Ctrl-D */
  readHidden(question: string): Promise<string>;
}

/** Standard input of this process; the question goes to standard error. */
export function openInput(): Input {
  const { stdin, stderr } = process;
  return {
    get isTty() {
      return stdin.isTTY ?? false;
    },
    async readAll(maxBytes) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes)
          throw new BatutaError('OPTION_INVALID', `Standard input holds more than the ${maxBytes} bytes that are taken.`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async readHidden(question) {
      stderr.write(question);
      stdin.setRawMode(true);
      let typed = '';
      try {
        for await (const chunk of stdin.setEncoding('utf8') as AsyncIterable<string>) {
          for (const char of chunk) {
            if (char === '\r' || char === '\n') return typed;
            if (char === '\u0003' || (char === '\u0004' && typed === '')) throw new BatutaError('USAGE', 'Nothing was set.');
            typed = char === '\u007f' || char === '\b' ? [...typed].slice(0, -1).join('') : typed + char;
          }
        }
        return typed;
      } finally {
        stdin.setRawMode(false);
        stdin.pause();
        stderr.write('\n');
      }
    },
  };
}
