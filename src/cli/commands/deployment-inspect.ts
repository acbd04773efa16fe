/** `batuta deployment inspect`: all that is known of a deployment. */
import { durationWords } from '../../base/duration.ts';
import type { DeploymentView } from '../../client/deployments-client.ts';
import type { ListedRun } from '../../model/run.ts';
import { decodeValue } from '../../model/values.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { deploymentJson } from '../render/deployment-json.ts';
import { shortIds } from '../../model/ids.ts';
import { runListJson } from '../render/json.ts';
import type { Paint } from '../render/paint.ts';
import { labelOf } from '../render/shapes.ts';
import { scheduleLines } from '../render/schedule-lines.ts';
import { agoText, isoOrNull, localMinute } from '../render/times.ts';
import { valueLines } from '../render/value.ts';
import { oneLine } from '../render/width.ts';

/** Newest runs that are shown, and ticks to come that `--json` lists. */
const shownRuns = 5;
const shownTicks = 10;

/** Prints the deployment; with `--json` as in `deployment ls --json`, with `upcoming` (UTC instants) and `runs`. */
export async function inspectDeployment(context: CommandContext, name: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { view, runs, upcoming } = await withClient(context, async ({ deployments, runs: all }) => ({
    view: await deployments.get(name),
    runs: (await all.list({ deployment: name, limit: shownRuns })).items,
    upcoming: await deployments.upcoming({ deployment: name, limit: shownTicks }),
  }));
  if (options.json) {
    const ticks = upcoming.map(({ schedule, at }) => ({ schedule, at: isoOrNull(at) }));
    return printJson(terminal, { ...deploymentJson(view), upcoming: ticks, runs: runs.map(runListJson) });
  }
  const { out } = terminal;
  const { paint } = out;
  for (const line of headLines(view, clock.now(), paint)) out.line(line);
  section(
    context,
    'parameters',
    valueLines(decodeValue(view.params), { color: paint.isColorSupported, width: out.columns }).filter((line) => line !== '{}'),
  );
  section(
    context,
    'schedules',
    view.schedules.flatMap((schedule) => [
      ...scheduleLines(schedule, clock.now(), paint),
      ...(schedule.params === null
        ? []
        : valueLines(decodeValue(schedule.params), { color: paint.isColorSupported, width: out.columns }).map((line) => `  ${line}`)),
    ]),
  );
  const ids = shortIds(runs.map(({ id }) => id));
  section(
    context,
    'newest runs',
    runs.map((run) => `${runLine(run, clock.now(), paint)}  ${paint.dim(ids.get(run.id) ?? run.id)}`),
  );
  return 0;
}

function headLines(view: DeploymentView, now: number, paint: Paint): string[] {
  const state = view.pausedAt === null ? paint.green('● active') : paint.cyan('‖ paused');
  const { concurrency } = view;
  const facts: (readonly [string, string | null])[] = [
    ['flow', `${oneLine(view.flow)}  ${paint.dim(`version ${view.flowVersion}`)}`],
    ['about', view.description === null ? null : oneLine(view.description)],
    ['version', `${view.version}, deployed ${agoText(view.updatedAt, now)}${view.origin === 'config' ? ' from batuta.config.ts' : ''}`],
    ['paused', view.pausedAt === null ? null : `since ${localMinute(view.pausedAt)}`],
    ['queue', view.priority === 0 ? view.queue : `${view.queue}, priority ${view.priority}`],
    ['tags', view.tags.length === 0 ? null : view.tags.map(oneLine).join(', ')],
    [
      'limit',
      concurrency &&
        `${concurrency.limit} runs at a time${concurrency.key === null ? '' : ` for each ${concurrency.key}`} (${concurrency.onConflict})`,
    ],
    ['overlap', view.overlap],
    ['catchup', view.catchup === 'none' ? 'none' : `${view.catchup}, for ${durationWords(view.catchupWindowMs)}`],
    ['kept', view.retentionMs === null ? null : view.retentionMs === Number.MAX_SAFE_INTEGER ? 'forever' : durationWords(view.retentionMs)],
    ['source', view.source],
  ];
  return [
    `${state}  ${paint.bold(view.name)}`,
    ...facts.filter(([, text]) => text !== null).map(([name, text]) => `  ${paint.dim(name.padEnd(8))}  ${text}`),
  ];
}

function runLine(run: ListedRun, now: number, paint: Paint): string {
  const tick = run.scheduledFor === null ? '' : `  ${paint.dim(`for ${isoOrNull(run.scheduledFor)?.slice(0, 16).replace('T', ' ')}Z`)}`;
  return `${labelOf(run.state, paint)}  ${oneLine(run.name)}  ${agoText(run.startedAt ?? run.createdAt, now)}${tick}`;
}

function section({ terminal: { out } }: CommandContext, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  out.line();
  out.line(out.paint.bold(title));
  for (const line of lines) out.line(`  ${line}`);
}
