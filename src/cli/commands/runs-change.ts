/** `batuta runs cancel|delete|signal`, and changes of all runs that match filters. */
import { BatutaError } from '../../base/errors.ts';
import { nearestNames } from '../../base/nearest.ts';
import type { Client } from '../../client/client.ts';
import type { BulkReport, BulkWish } from '../../client/fleet-client.ts';
import { shortId } from '../../model/ids.ts';
import type { Run } from '../../model/run.ts';
import { awaitedSignals } from '../../model/signal.ts';
import { isTerminal } from '../../model/state.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { withClient } from '../open.ts';
import { forEachRun, printJson } from '../print.ts';
import { usage } from '../read-options.ts';
import { type FilterOptions, readRunFilter } from '../read-run-filter.ts';
import { runListJson } from '../render/json.ts';
import { labelOf } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';

/** Cancels every run it can: those named, or those that match the filters. Status 1 unless all could be. */
export async function cancelRuns(
  context: CommandContext,
  ids: readonly string[],
  options: BulkOptions & { readonly message?: string },
): Promise<ExitStatus> {
  const { terminal } = context;
  const message = options.message ?? 'Cancelled from the command line.';
  if (choosesByFilter(ids, options)) {
    const change: BulkVerb['change'] = (client, wish) => client.runs.cancelMany({ ...wish, message });
    return changeFiltered(context, options, { infinitive: 'cancel', participle: 'cancelled', change });
  }
  const cancelled: Run[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (id) => {
      const run = await client.runs.cancel(id, message);
      cancelled.push(run);
      if (options.json) return;
      const later = isTerminal(run.state.type) ? '' : ' (its process ends it)';
      terminal.out.line(`${labelOf(run.state, terminal.out.paint)}  ${oneLine(run.name)}  ${shortId(run.id)}${later}`);
    }),
  );
  if (options.json) printJson(terminal, cancelled.map(runListJson));
  return status;
}

/** Unpins every run it can, so any version continues it: those named, or those that match the filters. Status 1 unless all could be. */
export async function unpinRuns(context: CommandContext, ids: readonly string[], options: BulkOptions): Promise<ExitStatus> {
  const { terminal } = context;
  if (choosesByFilter(ids, options)) {
    const change: BulkVerb['change'] = (client, wish) => client.runs.unpinMany(wish);
    return changeFiltered(context, options, { infinitive: 'unpin', participle: 'unpinned', change });
  }
  const unpinned: Run[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (id) => {
      const run = await client.runs.unpin(id);
      unpinned.push(run);
      if (!options.json) terminal.out.line(`unpinned  ${oneLine(run.flow)}  ${oneLine(run.name)}  ${shortId(run.id)}`);
    }),
  );
  if (options.json) printJson(terminal, unpinned.map(runListJson));
  return status;
}

/** Deletes every run it can; status 1 unless all could be. With `--json` prints the deleted: `{ id, flow, name }`. */
export async function deleteRuns(
  context: CommandContext,
  ids: readonly string[],
  options: BulkOptions & { readonly force?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  if (choosesByFilter(ids, options)) {
    if (options.force === true) throw usage('--force takes ids. Cancel the runs that fit the filters first.');
    const change: BulkVerb['change'] = (client, wish) => client.runs.deleteMany(wish);
    return changeFiltered(context, options, { infinitive: 'delete', participle: 'deleted', change });
  }
  const deleted: object[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (given) => {
      const { id, flow, name } = await client.runs.get(given);
      await client.runs.delete(id, { force: options.force === true });
      deleted.push({ id, flow, name });
      if (!options.json) terminal.out.line(`deleted ${oneLine(flow)}  ${oneLine(name)}  ${id}`);
    }),
  );
  if (options.json) printJson(terminal, deleted);
  return status;
}

/**
 * Sends the signal, and warns if the run waits only for other signals.
 *
 * @throws BatutaError USAGE (data that is not JSON), NAME_INVALID, RUN_NOT_FOUND, RUN_STATE_REFUSED
 */
export async function signalRun(
  context: CommandContext,
  id: string,
  name: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const data = options.data === undefined ? undefined : readData(options.data);
  await withClient(context, async (client) => {
    if (options.json) {
      const { id: runId } = await client.runs.get(id);
      return printJson(terminal, { runId, signal: name, number: await client.runs.signal(runId, name, data) });
    }
    // Read first: the wait is over once the signal has arrived.
    const { run, taskRuns } = await client.runs.inspect(id);
    await client.runs.signal(run.id, name, data);
    terminal.out.line(`Sent '${name}' to ${run.name} (${shortId(run.id)}).`);
    const awaited = awaitedSignals(taskRuns);
    if (awaited.length === 0 || awaited.includes(name)) return;
    const [near] = nearestNames(name, awaited, 1);
    const nearHint = near === undefined ? '' : ` Did you mean '${near}'?`;
    const now = awaited.map((one) => `'${one}'`).join(' and ');
    terminal.err.line(`It waits for ${now} now; '${name}' is kept until it waits for that.${nearHint}`);
  });
  return 0;
}

function readData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('USAGE', `--data is not JSON: ${why}. Text needs quotes: --data '"yes"'.`, { cause });
  }
}

/** Most refusals printed. */
const shownRefused = 10;

export interface BulkOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** An action on runs, and its wording. */
export interface BulkVerb {
  readonly infinitive: string;
  readonly participle: string;
  readonly change: (client: Client, wish: BulkWish) => Promise<BulkReport>;
}

/** Whether runs are chosen by filters and not by their ids. @throws BatutaError USAGE if both or neither are given. */
export function choosesByFilter(ids: readonly string[], options: BulkOptions): boolean {
  const filtered = options.all === true || Object.keys(readRunFilter(options, 0)).length > 0;
  if (ids.length > 0 && (filtered || options.yes === true)) throw usage('Give ids or filters such as --flow and --state, not both.');
  if (ids.length === 0 && !filtered) throw usage('Give ids, or filters such as --flow and --state; --all means every run.');
  return filtered;
}

/**
 * Without `--yes` only counts. Prints `{ matched, changed, refused, done }` with `--json`. Status 1 if a run that was to be changed
 * could not be.
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
