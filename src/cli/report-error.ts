/** Errors as the command line tells them: one clear line with a code; more only when asked for. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { maskText } from '../base/mask.ts';
import type { ExitStatus } from './exit-status.ts';
import { oneLine } from './render/width.ts';
import type { Terminal } from './terminal.ts';

/** Prints an error on standard error and gives the status to end with. */
export function reportError(error: unknown, terminal: Pick<Terminal, 'err'>, options: { readonly verbose: boolean }): ExitStatus {
  const { err } = terminal;
  const known = isBatutaError(error) ? error : internal(error);
  err.line(`${err.paint.red('error')} ${err.paint.bold(known.code)}: ${oneLine(known.message)}`);
  if (options.verbose) err.line(maskText(stackOf(known)));
  return known.exitCode;
}

function internal(error: unknown): BatutaError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new BatutaError('INTERNAL', `${text} (this is a bug in Batuta; --verbose shows where)`, { cause: error });
}

/** The stack and those of its causes. */
function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 8; at = at.cause) stacks.push(at.stack ?? String(at));
  return stacks.join('\ncaused by ');
}
