/** `batuta runs cancel|retry|delete` with filters: counts what would be changed, and with `--yes` changes it. */
import type { Client } from '../../client/client.ts';
import type { BulkReport, BulkWish } from '../../client/fleet-client.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { usage } from '../read-options.ts';
import { type FilterOptions, readRunFilter } from '../read-run-filter.ts';

/** Refusals that are printed. */
const shownRefused = 10;

export interface BulkOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What is done to runs, and how it is told. */
export interface BulkVerb {
  readonly infinitive: string;
  readonly participle: string;
  readonly change: (client: Client, wish: BulkWish) => Promise<BulkReport>;
}

/** Whether runs are chosen by filters and not by their ids. @throws BatutaError USAGE when it is both or neither. */
export function choosesByFilter(ids: readonly string[], options: BulkOptions): boolean {
  const filtered = options.all === true || Object.keys(readRunFilter(options, 0)).length > 0;
  if (ids.length > 0 && (filtered || options.yes === true)) throw usage('Give ids or filters such as --flow and --state, not both.');
  if (ids.length === 0 && !filtered) throw usage('Give ids, or filters such as --flow and --state; --all means every run.');
  return filtered;
}

/**
 * Without `--yes` only counts. Prints `{ matched, changed, refused, done }` with `--json`. The status is 1 when one could not be changed
 * that was to be.
 */
export async function changeFiltered(context: CommandContext, options: BulkOptions, verb: BulkVerb): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const filter = readRunFilter(options, clock.now());
  const done = options.yes === true;
  const report = await withClient(context, (client) => verb.change(client, { filter, dryRun: !done }));
  const status: ExitStatus = done && report.refused.length > 0 ? 1 : 0;
  if (options.json) {
    printJson(terminal, { ...report, done });
    return status;
  }
  const runs = `${report.changed} ${report.changed === 1 ? 'run' : 'runs'}`;
  if (!done)
    terminal.out.line(`${runs} would be ${verb.participle}.${report.changed > 0 ? ` To ${verb.infinitive} them, add --yes.` : ''}`);
  else terminal.out.line(`${runs} ${verb.participle}.`);
  for (const { message } of report.refused.slice(0, shownRefused)) terminal.err.line(message);
  return status;
}
