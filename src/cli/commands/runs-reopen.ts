/** `batuta runs retry` and `batuta runs resume`: continue a recorded run, here and now. */
import type { LocalClient } from '../../client/local-client.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { type FollowOptions, followRun } from '../follow-run.ts';
import type { LoadedConfig } from '../../base/config.ts';
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { Client } from '../../client/client.ts';
import { isTerminal } from '../../model/state.ts';
import { asksServer, openSettings, withClientOf, withLocalClientOf } from '../open.ts';
import { usage } from '../read-options.ts';
import { RunDisplay } from '../run-display.ts';
import { type BulkOptions, type BulkVerb, changeFiltered, choosesByFilter } from './runs-change.ts';
import { watchRun } from './runs-watch.ts';

/**
 * Opens a new attempt of a failed, crashed or cancelled run, here and now; for all runs that match filters, and with a server, the
 * workers do it.
 */
export async function retryRun(
  context: CommandContext,
  id: string | undefined,
  options: BulkOptions & { readonly from?: string },
): Promise<ExitStatus> {
  if (choosesByFilter(id === undefined ? [] : [id], options) || id === undefined) {
    if (options.from !== undefined) throw usage('--from takes an id, not filters.');
    const change: BulkVerb['change'] = (client, wish) => client.runs.requeueMany(wish);
    return changeFiltered(context, options, { infinitive: 'retry', participle: 'handed to the workers again', change });
  }
  const from = options.from === undefined ? {} : { from: options.from };
  const settings = await openSettings(context);
  const json = options.json === true;
  if (asksServer(settings))
    return byWorkers(context, settings, id, json, (client) => client.runs.requeue(id, from).then(({ id: runId }) => runId));
  return goOn(context, settings, id, json, (client, runId) => (hooks) => client.runs.retry(runId, { ...hooks, ...from }));
}

/** Continues a run whose process is gone. With a server, its workers do so by themselves, and this shows it. */
export async function resumeRun(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const settings = await openSettings(context);
  const json = options.json === true;
  if (asksServer(settings)) return byWorkers(context, settings, id, json, refuseEnded(id));
  return goOn(context, settings, id, json, (client, runId) => (hooks) => client.runs.resume(runId, hooks));
}

/** Calls `begin`, which returns the run's id, and shows how the workers execute it. */
async function byWorkers(
  context: CommandContext,
  settings: LoadedConfig,
  id: string,
  json: boolean,
  begin: (client: Client) => Promise<string>,
): Promise<ExitStatus> {
  const { err } = context.terminal;
  const runId = await withClientOf(context, settings, begin);
  err.line(`The workers of ${settings.config.apiUrl ?? 'the server'} continue ${id}, not this process. Ctrl-C leaves it to them.`);
  return watchRun(context, runId, { json });
}

function refuseEnded(id: string): (client: Client) => Promise<string> {
  return async (client) => {
    const run = await client.runs.get(id);
    if (!isTerminal(run.state.type)) return run.id;
    throw new BatutaError(
      'RUN_STATE_REFUSED',
      `Run ${run.id} cannot be changed this way: it has ended (${run.state.name}). To run what did not complete again: ${programName()} runs retry ${run.id}`,
      { details: { runId: run.id, state: run.state.name } },
    );
  };
}

async function goOn(
  context: CommandContext,
  { config }: LoadedConfig,
  id: string,
  json: boolean,
  starter: (client: LocalClient, runId: string) => FollowOptions['start'],
): Promise<ExitStatus> {
  const display = new RunDisplay(context, { json });
  try {
    const goOnWith = async (client: LocalClient): Promise<ExitStatus> => {
      const before = await client.runs.inspect(id);
      return followRun(context, client, display, { json, before, start: starter(client, before.run.id) });
    };
    return await withLocalClientOf(context, config, display.print, goOnWith, { reports: true });
  } finally {
    display.end();
  }
}
