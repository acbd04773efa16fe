/** The commands `schedule …`. */
import type { Command } from 'commander';
import { makeGroup } from './make-group.ts';
import type { Perform } from './perform.ts';

/** Adds the commands. */
export function declareScheduleCommands(program: Command, perform: Perform): void {
  makeGroup(program, 'schedule', 'look at schedules')
    .command('preview')
    .description('print when a schedule would tick, and what clock changes do to it')
    .option('--cron <expression>', "5 fields, 6 with seconds first, or @daily and the like, e.g. '0 9 * * MON-FRI'")
    .option('--interval <duration>', "a duration or a number of seconds, e.g. 15m, '1 hour', '2 days'")
    .option('--rrule <rule>', "RFC 5545, e.g. 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9'; lines DTSTART, RRULE, RDATE, EXDATE")
    .option('--timezone <zone>', 'whose wall clock counts, e.g. Europe/Lisbon (default: UTC)')
    .option('--anchor <time>', 'a time the interval ticks at (default: 2001-01-01, midnight in the zone)')
    .option('--from <time>', 'ticks strictly after this ISO time (default: now)')
    .option('--count <n>', 'how many at most, 1 to 1000', '5')
    .option('--json', 'print a JSON array of UTC instants')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/schedule-preview.ts')).previewSchedule(context, options)),
    );
}
