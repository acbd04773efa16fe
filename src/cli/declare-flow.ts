/** The commands `flow …` and `schedule …`. */
import type { Command } from 'commander';
import { makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareFlowCommands(program: Command, perform: Perform): void {
  const flow = makeGroup(program, 'flow', 'look at the flows of this project');
  flow
    .command('ls')
    .alias('list')
    .description('list the flows found where BATUTA_FLOWS says')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/flows.ts')).listFlows));
  flow
    .command('inspect')
    .description('print the tasks of a flow, their options and the parameters')
    .argument('<flow>', 'a name or a file')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/flow-inspect.ts')).inspectFlow));
  flow
    .command('graph')
    .description('draw what waits for what')
    .argument('<flow>', 'a name or a file')
    .option('--format <format>', 'ascii, mermaid or json', 'ascii')
    .option('--json', 'the same as --format json')
    .action(perform(async () => (await import('./commands/flows.ts')).drawFlow));
  flow
    .command('stats')
    .description('print how often tasks ran and failed and how long they took, by the process that executed them')
    .argument('<flow>', 'the name of a flow')
    .option('--since <time>', 'runs created since: an ISO time, or a duration ago such as 7d (default: 30d)')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/flow-stats.ts')).listStats));
  flow
    .command('types')
    .description('write what flows take and give, so that starting them by name is checked by the compiler')
    .option('--out <file>', 'where to write it', 'batuta-flows.d.ts')
    .option('--check', 'write nothing; status 1 when the file is not up to date')
    .action(perform(async () => (await import('./commands/flow-types.ts')).writeFlowTypes));
}

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
    .action(perform(async () => (await import('./commands/schedule-preview.ts')).previewSchedule));
}
