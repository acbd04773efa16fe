/** `batuta schedule preview`: when a schedule would tick. */
import { nextTicks, parseSchedule } from '../../model/schedule/schedule.ts';
import { markOf, touchedChanges } from '../../model/schedule/changes.ts';
import { describeChange, describeMark, describeSchedule, wallText } from '../../model/schedule/words.ts';
import { readInstant } from '../../model/schedule/zone.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { printJson } from '../print.ts';
import { readCount } from '../read-options.ts';

interface PreviewOptions {
  readonly cron?: string;
  readonly interval?: string;
  readonly rrule?: string;
  readonly timezone?: string;
  readonly anchor?: string;
  readonly from?: string;
  readonly count: string;
  readonly json?: boolean;
}

const maxCount = 1_000;

/** Prints the ticks strictly after `--from`; with `--json` an array of UTC instants in ISO 8601. No database is opened. */
export async function previewSchedule(context: CommandContext, options: PreviewOptions): Promise<ExitStatus> {
  const { out } = context.terminal;
  const schedule = parseSchedule(options);
  const count = readCount('--count', options.count, { min: 1, max: maxCount });
  const from = options.from === undefined ? context.clock.now() : readInstant('--from', options.from, schedule.timezone);
  const ticks = nextTicks(schedule, from, count);
  if (options.json) {
    return printJson(
      context.terminal,
      ticks.map((tick) => new Date(tick).toISOString()),
    );
  }
  const { paint } = out;
  const changes = touchedChanges(schedule, from, ticks);
  out.line(paint.bold(describeSchedule(schedule)));
  if (ticks.length === 0) out.line(`No tick after ${new Date(from).toISOString()}.`);
  for (const tick of ticks) {
    const mark = markOf(tick, schedule, changes);
    const note = mark === null ? '' : `  ${paint.yellow(describeMark(mark))}`;
    out.line(`  ${wallText(tick, schedule.timezone)}  ${paint.dim(new Date(tick).toISOString())}${note}`);
  }
  for (const change of changes) out.line(paint.yellow(`! ${describeChange(change)}`));
  return 0;
}
