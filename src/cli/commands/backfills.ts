/** `batuta backfill ls|inspect|cancel|resume`. */
import { programName } from '../../base/program-name.ts';
import type { BackfillView } from '../../client/deployments-client.ts';
import { shortId, shortIds } from '../../model/ids.ts';
import type { ListedRun } from '../../model/run.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson, printList } from '../print.ts';
import { given, readLimit } from '../read-options.ts';
import { backfillJson, backfillLabel, backfillLines, progressText, stateOf } from '../render/backfill-lines.ts';
import { runListJson } from '../render/json.ts';
import { labelOf } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { agoText, isoOrNull } from '../render/times.ts';
import { oneLine } from '../render/width.ts';
import { watchBackfill } from './backfill.ts';

const columns: readonly Column[] = [
  { head: 'state' },
  { head: 'deployment', max: 40 },
  { head: 'runs' },
  { head: 'from', drop: 2 },
  { head: 'to', drop: 2 },
  { head: 'begun', drop: 1 },
  { head: 'id' },
];

/** Prints the backfills. */
export async function listBackfills(
  context: CommandContext,
  options: JsonOption & { readonly deployment?: string; readonly limit: string },
): Promise<ExitStatus> {
  const filter = given({ deployment: options.deployment, limit: readLimit(options.limit) });
  const { items, next } = await withClient(context, ({ backfills }) => backfills.list(filter));
  return printList(context, items, options, {
    columns,
    cells: (view, paint) => [
      backfillLabel(view, paint),
      view.deployment,
      progressText(view, paint),
      dayText(view.fromAt),
      dayText(view.untilAt),
      agoText(view.createdAt, context.clock.now()),
      paint.dim(shortId(view.id)),
    ],
    json: backfillJson,
    empty: `No backfills yet. Make one: ${programName()} backfill <deployment> --from 2026-01-01 --to 2026-02-01`,
    cut: next === null ? null : 'newest',
  });
}

/** In UTC, with seconds only if not zero. */
function dayText(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('.000Z', 'Z').replace(':00Z', 'Z').replace(' 00:00Z', '');
}

/** Most failed runs shown. */
const shownFailed = 10;

/** Prints the backfill; with `--json` as in `backfill ls --json`, with the newest `failedRuns`. `--watch` waits for its end first. */
export async function inspectBackfill(
  context: CommandContext,
  id: string,
  options: JsonOption & { readonly watch?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const { view, left, failed } = await withClient(context, async (client) => {
    const first = await client.backfills.get(id);
    const watched = options.watch ? await watchBackfill(context, client, first.id) : { view: first, left: null };
    const filter = { backfillId: first.id, states: ['FAILED', 'CRASHED'], limit: shownFailed };
    return { ...watched, failed: (await client.runs.list(filter)).items };
  });
  if (options.json) printJson(terminal, { ...backfillJson(view), failedRuns: failed.map(runListJson) });
  else print(context, view, failed);
  if (!options.watch) return 0;
  return left ?? (stateOf(view) === 'completed' ? 0 : 1);
}

/** Cancels or resumes it. With `--json` prints the backfill afterwards. */
export function steerBackfill(verb: 'cancel' | 'resume') {
  return async (context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> => {
    const view = await withClient(context, ({ backfills }) => backfills[verb](id));
    if (options.json) return printJson(context.terminal, backfillJson(view));
    print(context, view, []);
    return 0;
  };
}

function print({ terminal: { out }, clock }: CommandContext, view: BackfillView, failed: readonly ListedRun[]): void {
  for (const line of backfillLines(view, clock.now(), out.paint)) out.line(line);
  if (failed.length === 0) return;
  out.line();
  out.line(out.paint.bold('failed runs'));
  const ids = shortIds(failed.map(({ id }) => id));
  for (const run of failed) {
    const tick = isoOrNull(run.scheduledFor)?.replace('.000Z', 'Z') ?? '';
    out.line(`  ${labelOf(run.state, out.paint)}  ${tick}  ${oneLine(run.name)}  ${out.paint.dim(ids.get(run.id) ?? run.id)}`);
  }
}
