import type { ExitStatus } from './exit-status.ts';
import type { Terminal } from './terminal.ts';

/** Prints one JSON value, indented for people, on standard output. Gives 0, so that a command may end with it. */
export function printJson(terminal: Pick<Terminal, 'out'>, value: unknown): ExitStatus {
  terminal.out.line(JSON.stringify(value, null, 2));
  return 0;
}
