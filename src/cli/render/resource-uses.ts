/** The resources a run opened, for people. */
import { formatDuration } from '../../base/duration.ts';
import type { RunInspection } from '../../client/client.ts';
import { type ResourceUse, resourceTimes } from '../../model/resource-use.ts';
import { countOf } from './bar.ts';
import type { Paint } from './shapes.ts';
import { taskLabel } from './summary.ts';
import { type Column, tableLines } from './table.ts';
import { localMillisecond } from './times.ts';
import { oneLine } from './width.ts';
import { byteSize } from '../../base/byte-size.ts';
import type { RecordedUsage } from '../../model/task-usage.ts';

/** Most openings listed; if there are more, failed ones come first. */
const maxListed = 50;

const columns: readonly Column[] = [
  { head: '  resource', max: 60 },
  { head: 'of', max: 40 },
  { head: 'began', drop: 2 },
  { head: 'opening', align: 'right' },
  { head: 'open', align: 'right' },
  { head: 'closing', align: 'right', drop: 1 },
  { head: 'what' },
];

/** A table of the openings; no lines if nothing was opened. */
export function resourceLines(
  { run, resources, taskRuns }: Pick<RunInspection, 'run' | 'resources' | 'taskRuns'>,
  { paint, width }: { readonly paint: Paint; readonly width: number },
): string[] {
  if (resources.length === 0) return [];
  const labels = new Map(taskRuns.map((taskRun) => [taskRun.id, taskLabel(taskRun)]));
  const failedFirst = [...resources].sort((a, b) => Number(a.error === null) - Number(b.error === null));
  const chosen = new Set(resources.length <= maxListed ? resources : failedFirst.slice(0, maxListed));
  const rows = resources
    .filter((use) => chosen.has(use))
    .map((use) => {
      const { openingMs, openMs, closingMs } = resourceTimes(use);
      const owner = use.taskRunId === null ? paint.dim('run') : (labels.get(use.taskRunId) ?? use.taskRunId);
      const what = use.error === null ? stageOf(use, run.endedAt !== null) : paint.red(oneLine(use.error));
      const times = [openingMs, openMs, closingMs].map((ms) => (ms === null ? '' : formatDuration(ms)));
      return [`  ${oneLine(use.resource)}`, owner, paint.dim(localMillisecond(use.beganAt)), ...times, what];
    });
  const rest = resources.length - rows.length;
  const more = rest > 0 ? [paint.dim(`  … and ${countOf(rest)} more (--json shows all)`)] : [];
  return [...tableLines(columns, rows, paint, width), ...more];
}

/** Stage of an opening without an error; in an ended run, what its process did not get to. */
function stageOf({ openedAt, closingAt, closedAt }: ResourceUse, hasEnded: boolean): string {
  if (closedAt !== null) return '';
  if (hasEnded) return 'its process was lost before it was closed';
  if (closingAt !== null) return 'closing';
  return openedAt === null ? 'opening' : 'open';
}

/** `CPU 3s, 96.0 MiB`; '' if unknown. Usage shared by several tasks is marked: `CPU about 3s`. */
export function usedText({ cpuMs = null, peakBytes = null, usageScope = null }: RecordedUsage): string {
  const about = usageScope === 'shared' ? 'about ' : '';
  const parts = [
    ...(cpuMs === null ? [] : [`CPU ${about}${formatDuration(cpuMs)}`]),
    ...(peakBytes === null ? [] : [`${byteSize(peakBytes)}${usageScope === 'shared' ? ' of the process' : ''}`]),
  ];
  return parts.join(', ');
}
