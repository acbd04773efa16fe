/** `batuta deployment ls`: deployments by name. */
import { ruleText } from '../../client/deploy-changes.ts';
import type { DeploymentView } from '../../client/deployments-client.ts';
import type { Schedule } from '../../model/schedule.ts';
import { describeSchedule } from '../../model/schedule-words.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readLimit } from '../read-options.ts';
import { deploymentJson, nextTickOf } from '../render/deployment-json.ts';
import type { Paint } from '../render/paint.ts';
import { glyphOf } from '../render/shapes.ts';
import { type Column, tableLines } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface Options {
  readonly flow?: string;
  readonly tag?: string;
  readonly search?: string;
  readonly paused?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

const columns: readonly Column[] = [
  { head: 'deployment', max: 40 },
  { head: 'flow', max: 32, drop: 2 },
  { head: 'schedule', max: 48, drop: 1 },
  { head: 'next tick' },
  { head: 'last run' },
];

/** Prints the deployments that fit the filters. */
export async function listDeployments(context: CommandContext, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { flow, tag, search, paused } = options;
  const limit = readLimit(options.limit);
  const filter = {
    ...(flow === undefined ? {} : { flow }),
    ...(tag === undefined ? {} : { tag }),
    ...(search === undefined ? {} : { search }),
    ...(paused ? { paused } : {}),
  };
  const { items, next } = await withClient(context, (client) => client.deployments.list({ ...filter, limit }));
  if (options.json) return printJson(terminal, items.map(deploymentJson));
  if (items.length === 0) {
    const isFiltered = Object.keys(filter).length > 0;
    terminal.err.line(
      isFiltered ? 'No deployment fits these filters.' : 'No deployments yet. Make one: batuta deploy <flow> --cron "0 0 * * *"',
    );
    return 0;
  }
  const { out } = terminal;
  const rows = items.map((view) => cellsOf(view, clock.now(), out.paint));
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
  if (next !== null) terminal.err.line(terminal.err.paint.dim(`The first ${items.length} are shown; --limit shows more.`));
  return 0;
}

function cellsOf(view: DeploymentView, now: number, paint: Paint): string[] {
  const { name, flow, schedules, lastRun } = view;
  const [first] = schedules;
  const schedule = schedules.length > 1 ? `${schedules.length} schedules` : first ? scheduleText(first.schedule) : paint.dim('by hand');
  const run =
    lastRun === null ? paint.dim('never') : `${glyphOf(lastRun.state, paint)} ${agoText(lastRun.startedAt ?? lastRun.createdAt, now)}`;
  return [paint.bold(name), oneLine(flow), schedule, tickText(view, now, paint), run];
}

/** An interval in few words: where it is counted from matters less in a list. */
function scheduleText(schedule: Schedule): string {
  return schedule.kind === 'interval' ? ruleText(schedule) : describeSchedule(schedule);
}

function tickText(view: DeploymentView, now: number, paint: Paint): string {
  const { schedules } = view;
  const isPaused = view.pausedAt !== null || (schedules.length > 0 && schedules.every(({ pausedAt }) => pausedAt !== null));
  if (isPaused) return paint.cyan('‖ paused');
  const next = nextTickOf(view);
  if (next === null) return schedules.length === 0 ? '' : paint.dim('none any more');
  return next < now ? paint.yellow(`overdue, ${agoText(next, now)}`) : agoText(next, now);
}
