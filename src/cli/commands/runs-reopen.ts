/** `batuta runs retry` and `batuta runs resume`: go on with a recorded run, here and now. */
import type { LocalClient } from '../../client/local-client.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { type FollowOptions, followRun } from '../follow-run.ts';
import { openSettings, withLocalClientOf } from '../open.ts';
import { usage } from '../read-options.ts';
import { RunDisplay } from '../run-display.ts';
import { type BulkOptions, type BulkVerb, changeFiltered, choosesByFilter } from './runs-bulk.ts';

/** Opens a new attempt of a failed, crashed or cancelled run, here and now; of all that fit the filters, by the workers. */
export function retryRun(
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
  return goOn(context, id, options.json === true, (client, runId) => (hooks) => client.runs.retry(runId, { ...hooks, ...from }));
}

/** Goes on with a run whose process is gone. */
export function resumeRun(context: CommandContext, id: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  return goOn(context, id, options.json === true, (client, runId) => (hooks) => client.runs.resume(runId, hooks));
}

async function goOn(
  context: CommandContext,
  id: string,
  json: boolean,
  starter: (client: LocalClient, runId: string) => FollowOptions['start'],
): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  const display = new RunDisplay(context, { json });
  try {
    return await withLocalClientOf(context, config, display.print, async (client) => {
      const before = await client.runs.inspect(id);
      return followRun(context, client, display, { json, before, start: starter(client, before.run.id) });
    });
  } finally {
    display.end();
  }
}
