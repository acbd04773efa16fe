/** `batuta backfill`: runs a deployment for past ticks. */
import { programName } from '../../base/program-name.ts';
import type { Client } from '../../client/client.ts';
import type { BackfillPreview, BackfillSpec, BackfillView, DeploymentView } from '../../client/deployments-client.ts';
import { shortId } from '../../model/ids.ts';
import { wallText } from '../../model/schedule/words.ts';
import { readInstant } from '../../model/schedule/zone.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { readCount, usage } from '../read-options.ts';
import { backfillJson, backfillLines, progressText, stateOf } from '../render/backfill-lines.ts';
import { countOf } from '../render/bar.ts';
import { isoOrNull } from '../render/times.ts';
import { cut } from '../render/width.ts';

interface Options extends JsonOption {
  readonly from?: string;
  readonly to?: string;
  readonly schedule?: string;
  readonly maxParallel: string;
  readonly newestFirst?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly watch?: boolean;
}

/** Ticks a dry run shows from each end. */
const shownTicks = 5;

/**
 * Begins it; a scheduler continues it. Prints its id, with `--json` the backfill, with `--dry-run` `{ deployment, total, exact, first, last
 * }`.
 *
 * Status: 0 begun, or with `--watch` completed · 1 with `--watch` if a run did not complete.
 */
export async function backfill(context: CommandContext, deployment: string | undefined, options: Options): Promise<ExitStatus> {
  const { from, to } = options;
  if (deployment === undefined || from === undefined || to === undefined) {
    const missing = deployment === undefined ? 'a deployment' : from === undefined ? '--from' : '--to';
    throw usage(`A backfill needs ${missing}: ${programName()} backfill daily-sales --from 2026-01-01 --to 2026-02-01`);
  }
  const maxParallel = readCount('--max-parallel', options.maxParallel, { min: 1, max: 10_000 });
  return await withClient(context, async (client) => {
    const view = await client.deployments.get(deployment);
    const zone = zoneOf(view, options.schedule);
    const spec: BackfillSpec = {
      deployment,
      fromAt: readInstant('--from', from, zone),
      untilAt: readInstant('--to', to, zone),
      maxParallel,
      order: options.newestFirst ? 'newest' : 'oldest',
      ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
    };
    if (options.dryRun) return printPreview(context, spec, zone, await client.backfills.preview(spec), options.json === true);
    const begun = await client.backfills.start(spec, { allowLarge: options.yes === true });
    return options.watch ? await watch(context, client, begun, options.json === true) : printBegun(context, begun, options.json === true);
  });
}

function printBegun({ terminal }: CommandContext, begun: BackfillView, json: boolean): ExitStatus {
  if (json) return printJson(terminal, backfillJson(begun));
  const { out, err } = terminal;
  out.line(begun.id);
  const inspect = err.paint.bold(`${programName()} backfill inspect ${shortId(begun.id)} --watch`);
  err.line(
    `${countOf(begun.total)} runs of ${begun.deployment}, ${countOf(begun.maxParallel)} at a time, made by a scheduler. To watch: ${inspect}`,
  );
  return 0;
}

async function watch(context: CommandContext, client: Client, begun: BackfillView, json: boolean): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { view, left } = await watchBackfill(context, client, begun.id);
  if (json) printJson(terminal, backfillJson(view));
  else for (const line of backfillLines(view, clock.now(), terminal.out.paint)) terminal.out.line(line);
  return left ?? (stateOf(view) === 'completed' ? 0 : 1);
}

function printPreview(
  { terminal }: CommandContext,
  { deployment, order = 'oldest' }: BackfillSpec,
  zone: string,
  { total, exact, first, last }: BackfillPreview,
  json: boolean,
): ExitStatus {
  if (json) return printJson(terminal, { deployment, total, exact, first: first.map(isoOrNull), last: last.map(isoOrNull) });
  const { out } = terminal;
  out.line(
    `Would make ${exact ? '' : 'about '}${out.paint.bold(countOf(total))} ${total === 1 ? 'run' : 'runs'} of ${deployment}, ${order} first, for the ticks`,
  );
  const all = [...new Set([...first.slice(0, shownTicks), ...last.slice(-shownTicks)])];
  for (const [at, tick] of all.entries()) {
    if (at === shownTicks && total > all.length) out.line(out.paint.dim('  …'));
    out.line(`  ${wallText(tick, zone)}`);
  }
  return 0;
}

/** Time zone of times without an offset. The client reports a missing schedule. */
function zoneOf({ schedules }: DeploymentView, slug: string | undefined): string {
  return (schedules.find((one) => one.slug === slug) ?? schedules[0])?.schedule.timezone ?? 'UTC';
}

/** Poll interval, ms. Without a terminal a line is printed per tenth. */
const pollMs = 500;
const eraseLine = '\r\u001b[2K';

/** The backfill once it has ended, or when the watcher left; with the status of the signal that ended the watch. */
export async function watchBackfill(
  context: CommandContext,
  client: Client,
  id: string,
): Promise<{ readonly view: BackfillView; readonly left: 130 | 143 | null }> {
  const { terminal, clock } = context;
  const { err } = terminal;
  const interrupt = new Interrupt({ clock, onFirst: () => undefined, onSecond: async () => undefined });
  const signal = AbortSignal.any([terminal.gone, interrupt.signal]);
  let shown = -1;
  try {
    for (;;) {
      const view = await client.backfills.get(id);
      const tenths = Math.floor(((view.completed + view.failed + view.cancelled) * 10) / Math.max(1, view.total));
      if (err.isTty) err.write(`${eraseLine}${cut(progressText(view, err.paint), err.columns - 1)}`);
      else if (tenths !== shown) err.line(progressText(view, err.paint));
      shown = tenths;
      if (view.endedAt !== null || signal.aborted) {
        if (err.isTty) err.write(eraseLine);
        const { status } = interrupt;
        return { view, left: status === 130 || status === 143 ? status : null };
      }
      await clock.sleep(pollMs, signal).catch(() => undefined);
    }
  } finally {
    interrupt.stop();
  }
}
