/** The error with which a task or run fails when one escaped it. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { failureOf } from './failure.ts';
import type { EscapeKind } from './run-context.ts';

const sentences: Readonly<Record<Exclude<EscapeKind, 'exit'>, (where: string) => string>> = {
  rejection: (where) => `A promise that ${where} did not await was rejected`,
  exception: (where) => `An error was thrown in a callback of ${where}, past its call`,
};

/**
 * An `ERROR_ESCAPED` whose cause is the error, and whose stack is the error's own.
 *
 * @param where e.g. `task load`
 */
export function escapedError(error: unknown, how: EscapeKind, where: string): BatutaError {
  if (how === 'exit' || isBatutaError(error, 'ERROR_ESCAPED')) return error as BatutaError;
  const message = `${sentences[how](where)}: ${failureOf(error).message}`;
  const escaped = new BatutaError('ERROR_ESCAPED', message, { cause: error });
  const frames = framesOf(error);
  escaped.stack = `${escaped.name}: ${message}${frames}`;
  return escaped;
}

/** The stack lines that say where, each with its line break. */
function framesOf(error: unknown): string {
  try {
    const stack = error instanceof Error ? String(error.stack) : '';
    const first = stack.search(/\n\s+at /);
    return first === -1 ? '' : stack.slice(first);
  } catch {
    return '';
  }
}
