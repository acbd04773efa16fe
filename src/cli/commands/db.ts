/** `batuta db migrate|prune`. */
import { formatDuration } from '../../base/duration.ts';
import type { Client } from '../../client/client.ts';
import { terminalTypes } from '../../model/state.ts';
import { openStore } from '../../store/open.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { openSettings, withLocalClient } from '../open.ts';
import { printJson } from '../print.ts';
import { readDuration, usage } from '../read-options.ts';
import { countOf } from '../render/bar.ts';
import { localMinute } from '../render/times.ts';

/** Applies missing migrations and prints them. */
export async function migrate(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  // Not through a client, which migrates as it opens: this prints what was done.
  const store = await openStore({ url: config.databaseUrl, migrate: false });
  try {
    const report = await store.migrate();
    const { terminal } = context;
    if (options.json) return printJson(terminal, { url: store.url, ...report });
    for (const name of report.applied) terminal.out.line(`${terminal.out.paint.green('✓')} applied ${name}`);
    terminal.out.line(
      report.applied.length === 0
        ? `Nothing to do: ${store.url} is at version ${report.after}.`
        : `${store.url} is now at version ${report.after}.`,
    );
    return 0;
  } finally {
    await store.close();
  }
}

interface Options {
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Deletes, or only counts. With `--json` prints `{ before, runs, dryRun }`. */
export async function prune(context: CommandContext, options: Options): Promise<ExitStatus> {
  const given = options.olderThan === undefined ? undefined : readDuration('--older-than', options.olderThan);
  return withLocalClient(context, async (client, config) => {
    const olderThanMs = given ?? config.retentionMs;
    if (olderThanMs === null)
      throw usage('Runs are kept forever (retention is forever). Set how long with --older-than, e.g. --older-than 30d.');
    const before = context.clock.now() - olderThanMs;
    const dryRun = options.dryRun === true;
    const runs = dryRun ? await countEnded(client, before) : (await client.prune(before)).runs;
    const { terminal } = context;
    if (options.json) return printJson(terminal, { before: new Date(before).toISOString(), runs, dryRun });
    const what = `${countOf(runs)} ${runs === 1 ? 'run' : 'runs'} that ended before ${localMinute(before)} (${formatDuration(olderThanMs)} ago)`;
    terminal.out.line(dryRun ? `Would delete ${what}.` : `Deleted ${what}.`);
    return 0;
  });
}

/** Counts page by page; a run that ended before an instant was created before it. */
async function countEnded(client: Client, before: number): Promise<number> {
  let count = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await client.runs.list({
      states: terminalTypes,
      until: before,
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    count += page.items.filter((run) => run.endedAt !== null && run.endedAt < before).length;
    if (page.next === null) return count;
    cursor = page.next;
  }
}
