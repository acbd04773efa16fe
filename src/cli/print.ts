/** Printing of results and errors of commands. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { maskText } from '../base/mask.ts';
import type { CommandContext, ExitStatus, JsonOption } from './context.ts';
import type { Paint } from './render/shapes.ts';
import { type Column, tableLines } from './render/table.ts';
import { oneLine } from './render/width.ts';
import type { Stream, Terminal } from './terminal.ts';

/** Prints one JSON value, indented for people, on standard output. Returns 0, so that a command may end with it. */
export function printJson(terminal: Pick<Terminal, 'out'>, value: unknown): ExitStatus {
  terminal.out.line(JSON.stringify(value, null, 2));
  return 0;
}

/** Reports what was done: as a line for people, or a value as JSON. Returns 0. */
export function printDone({ out }: Pick<Terminal, 'out'>, { json }: JsonOption, value: unknown, line: string): ExitStatus {
  if (json) return printJson({ out }, value);
  out.line(line);
  return 0;
}

/** How a list is printed. */
export interface Listing<T> {
  readonly columns: readonly Column[];
  readonly cells: (item: T, paint: Paint) => readonly string[];
  /** An item with `--json`. */
  readonly json: (item: T) => object;
  /** Printed on standard error if the list is empty. */
  readonly empty: string;
  /** Which of more items these are, e.g. `newest`; null if they are all. */
  readonly cut?: string | null;
}

/** Prints a table, or with `--json` an array. Returns 0. */
export function printList<T>({ terminal }: CommandContext, items: readonly T[], options: JsonOption, listing: Listing<T>): ExitStatus {
  const { columns, cells, json, empty, cut = null } = listing;
  const { out, err } = terminal;
  if (options.json)
    return printJson(
      terminal,
      items.map((item) => json(item)),
    );
  if (items.length === 0) err.line(empty);
  else
    printTable(
      out,
      columns,
      items.map((item) => cells(item, out.paint)),
    );
  if (cut !== null && items.length > 0) err.line(err.paint.dim(`The ${cut} ${items.length} are shown; --limit shows more.`));
  return 0;
}

/** Prints a table that fits the terminal. */
export function printTable(out: Stream, columns: readonly Column[], rows: readonly (readonly string[])[]): void {
  printLines(out, tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined));
}

export function printLines(out: Pick<Stream, 'line'>, lines: readonly string[]): void {
  for (const line of lines) out.line(line);
}

/** Prints an error on standard error and returns the exit status. */
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

/** The error's stack and those of its causes. */
function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 8; at = at.cause) stacks.push(at.stack ?? String(at));
  return stacks.join('\ncaused by ');
}

/** Calls `act` for every id; failures are reported and the rest continue. Returns the worst status. */
export async function forEachRun(context: CommandContext, ids: readonly string[], act: (id: string) => Promise<void>): Promise<ExitStatus> {
  let worst: ExitStatus = 0;
  for (const id of new Set(ids)) {
    try {
      await act(id);
    } catch (error) {
      const status = reportError(error, context.terminal, context.globals);
      worst = worst > status ? worst : status;
    }
  }
  return worst;
}
