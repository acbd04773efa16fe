/** What a deploy did, for people. */
import type { DeployChange, DeployReport, GraphChange } from '../../client/deployments-client.ts';
import { countOf } from './bar.ts';
import type { Paint } from './paint.ts';
import { scheduleLines } from './schedule-lines.ts';
import { oneLine } from './width.ts';

const signs = { created: '+', changed: '~', unchanged: '=', deleted: '-' } as const;
const hues = { created: 'green', changed: 'yellow', unchanged: 'dim', deleted: 'red' } as const;

/** Title and changes; of what now runs by a schedule its words and next ticks, unless told otherwise. */
export function deployLines(report: DeployReport, now: number, paint: Paint, options: { readonly ticks: boolean }): string[] {
  const { outcome, deployment, changes, graph } = report;
  const title = `${paint[hues[outcome]](`${signs[outcome]} ${outcome}`)}  ${paint.bold(deployment.name)}`;
  const about = outcome === 'deleted' ? '' : `  ${paint.dim(`flow ${oneLine(deployment.flow)}, version ${deployment.version}`)}`;
  const paused = deployment.pausedAt !== null && outcome !== 'deleted' ? [paint.cyan('‖ paused: its schedules make no runs')] : [];
  const below = [
    ...changes.map((change) => changeLine(change, paint)),
    ...(graph ? graphLines(graph, paint) : []),
    ...paused,
    ...(options.ticks ? deployment.schedules.flatMap((schedule) => scheduleLines(schedule, now, paint)) : []),
  ];
  return [`${title}${about}`, ...below.map((line) => `  ${line}`)];
}

/** `2 created, 1 unchanged`, with what there is none of left out. */
export function countLine(reports: readonly DeployReport[], dryRun: boolean): string {
  const counts = (['created', 'changed', 'deleted', 'unchanged'] as const)
    .map((outcome) => [outcome, reports.filter((report) => report.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${countOf(count)} ${outcome}`);
  return `${counts.length === 0 ? 'Nothing to deploy' : counts.join(', ')}${dryRun ? '; nothing was written (--dry-run)' : ''}.`;
}

/** `schedule nightly  0 0 * * * → 0 1 * * *`. */
export function changeLine({ what, before, after }: DeployChange, paint: Paint): string {
  const text = (value: string | null): string => (value === null ? paint.dim('none') : oneLine(value));
  if (before === null) return `${what}  ${paint.green(`+ ${text(after)}`)}`;
  if (after === null) return `${what}  ${paint.red(`- ${text(before)}`)}`;
  return `${what}  ${text(before)} ${paint.dim('→')} ${text(after)}`;
}

/** One line a task that was added, removed or rewired. */
export function graphLines({ added, removed, rewired }: GraphChange, paint: Paint): string[] {
  const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.map(oneLine).join(', '));
  return [
    ...added.map((task) => `task ${oneLine(task)}  ${paint.green('+ added')}`),
    ...removed.map((task) => `task ${oneLine(task)}  ${paint.red('- removed')}`),
    ...rewired.map(({ task, before, after }) => `task ${oneLine(task)}  needs ${list(before)} ${paint.dim('→')} ${list(after)}`),
  ];
}
