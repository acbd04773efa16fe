/** The program as the command line has it, without a terminal: what a command would do is left out. */
import { makeProgram } from '../../../src/cli/program.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import type { Stream } from '../../../src/cli/terminal.ts';

export function silentProgram(print: (text: string) => void = () => {}, first?: string): ReturnType<typeof makeProgram> {
  const stream: Stream = { write: print, line: () => {}, isTty: false, paint: paintOf(false), columns: 80, rows: 24 };
  const input = { isTty: false, readAll: async () => '', readHidden: async () => '' };
  return makeProgram(
    { out: stream, err: stream, gone: new AbortController().signal, cwd: '/', input, drain: async () => {} },
    async () => {},
    first,
  );
}
