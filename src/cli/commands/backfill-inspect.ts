/** `batuta backfill inspect`, `cancel` and `resume`. */
import type { BackfillView } from '../../client/deployments-client.ts';
import type { ListedRun } from '../../model/run.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { backfillJson, backfillLines, stateOf } from '../render/backfill-lines.ts';
import { shortIds } from '../../model/ids.ts';
import { runListJson } from '../render/json.ts';
import { labelOf } from '../render/shapes.ts';
import { isoOrNull } from '../render/times.ts';
import { oneLine } from '../render/width.ts';
import { watchBackfill } from '../watch-backfill.ts';

/** Runs that failed of which are shown. */
const shownFailed = 10;

/** Prints the backfill; with `--json` as in `backfill ls --json`, with the newest `failedRuns`. `--watch` waits for its end first. */
export async function inspectBackfill(
  context: CommandContext,
  id: string,
  options: { readonly watch?: boolean; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { view, left, failed } = await withClient(context, async (client) => {
    const first = await client.backfills.get(id);
    const watched = options.watch ? await watchBackfill(context, client, first.id) : { view: first, left: null };
    const filter = { backfillId: first.id, states: ['FAILED', 'CRASHED'], limit: shownFailed };
    return { ...watched, failed: (await client.runs.list(filter)).items };
  });
  if (options.json) printJson(terminal, { ...backfillJson(view), failedRuns: failed.map(runListJson) });
  else print(context, view, failed, clock.now());
  if (!options.watch) return 0;
  return left ?? (stateOf(view) === 'completed' ? 0 : 1);
}

/** Cancels or resumes it. With `--json` prints the backfill after it. */
export async function steerBackfill(
  context: CommandContext,
  verb: 'cancel' | 'resume',
  id: string,
  options: { readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const view = await withClient(context, ({ backfills }) => backfills[verb](id));
  if (options.json) return printJson(terminal, backfillJson(view));
  print(context, view, [], clock.now());
  return 0;
}

function print({ terminal: { out } }: CommandContext, view: BackfillView, failed: readonly ListedRun[], now: number): void {
  for (const line of backfillLines(view, now, out.paint)) out.line(line);
  if (failed.length === 0) return;
  out.line();
  out.line(out.paint.bold('failed runs'));
  const ids = shortIds(failed.map(({ id }) => id));
  for (const run of failed) {
    const tick = isoOrNull(run.scheduledFor)?.replace('.000Z', 'Z') ?? '';
    out.line(`  ${labelOf(run.state, out.paint)}  ${tick}  ${oneLine(run.name)}  ${out.paint.dim(ids.get(run.id) ?? run.id)}`);
  }
}
