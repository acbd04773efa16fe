/** The commands `run` and `runs …`. */
import type { Command } from 'commander';
import { collect, makeGroup, type Perform } from './declare.ts';
import { declareRunFilters } from './read-run-filter.ts';

const help = `
Values given with -p are text unless the flow's schema refuses text; then they are read as JSON.`;

/** Adds the command. */
export function declareRunCommand(program: Command, perform: Perform): void {
  program
    .command('run')
    .description('run a flow here and now')
    .argument('<flow>', 'a file, or the name of a flow; `:Class` chooses among several in one file')
    .option('--params <json>', 'parameters as a JSON object, or @file')
    .option('-p, --param <key=value>', 'one parameter; may be repeated', collect, [])
    .option('--name <name>', 'name of the run for people')
    .option('--tag <tag>', 'tag of the run; may be repeated', collect, [])
    .option('--refresh-cache', 'compute its cached values again, for others to find')
    .option('--profile', 'keep a CPU profile of it, and of each of its tasks in a thread or process; prints where')
    .option('--metrics-file <file>', 'write the metrics of the run there once it has ended, for the textfile collector of Prometheus')
    .option('--json', 'print one JSON object on standard output and nothing else')
    .addHelpText('after', help)
    .action(perform(async () => (await import('./commands/run.ts')).run));
}

/** Adds the commands. */
export function declareRunsCommands(program: Command, perform: Perform): void {
  const runs = makeGroup(program, 'runs', 'look at runs and steer them; an id may be cut to its first characters');
  declareReaders(runs, perform);
  declareWriters(runs, perform);
}

function declareReaders(runs: Command, perform: Perform): void {
  declareRunFilters(runs.command('ls').alias('list').description('list runs, newest first'))
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/runs-ls.ts')).listRuns));
  runs
    .command('inspect')
    .description('print all that is known of a run')
    .argument('<id>')
    .option('--stats', 'print what has gone through the tasks of its streams')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/runs-inspect.ts')).inspectRun));
  runs
    .command('logs')
    .description('print what a run logged')
    .argument('<id>')
    .option('--task <name>', 'of this task alone')
    .option('--level <level>', 'of this level and above: trace, debug, info, warn, error, fatal')
    .option('--tail <n>', 'the last so many lines')
    .option('-f, --follow', 'continue until the run ends')
    .option('--json', 'print a JSON array; with --follow one object a line')
    .action(perform(async () => (await import('./commands/runs-logs.ts')).printLogs));
  runs
    .command('rejects')
    .description('print the records that a run has rejected, or give them to its tasks again')
    .argument('<id>')
    .option('--task <name>', 'of this task alone')
    .option('--retry', 'submit a run in which each task is given what it had rejected')
    .option('--watch', 'with --retry: show its live tree')
    .option('--json', 'print a JSON array; with --retry the run')
    .action(perform(async () => (await import('./commands/runs-rejects.ts')).rejectsOfRun));
  runs
    .command('stream')
    .description('print what a run emits while it runs, one JSON value a line, until it ends')
    .argument('<id>')
    .argument('[name]', 'of the stream; without it the streams there are')
    .option('--after <seq>', 'only values after this number')
    .option('--details', 'print each as an object with its number, task run, attempt and instant')
    .option('--json', 'print the list of streams as a JSON array')
    .action(perform(async () => (await import('./commands/runs-stream.ts')).streamOfRun));
  runs
    .command('watch')
    .description('show the live tree of a run, from any terminal')
    .argument('<id>')
    .option('--json', 'print one JSON object once it has ended')
    .action(perform(async () => (await import('./commands/runs-watch.ts')).watchRun));
}

function declareWriters(runs: Command, perform: Perform): void {
  runs
    .command('submit')
    .description('hand a run to the workers')
    .argument('<flow>', 'a file, or the name of a flow; `:Class` chooses among several in one file')
    .option('--params <json>', 'parameters as a JSON object, or @file')
    .option('-p, --param <key=value>', 'one parameter; may be repeated', collect, [])
    .option('--queue <name>', 'workers of this queue execute it (default: default)')
    .option('--priority <n>', 'from -100 to 100; higher goes first (default: 0)')
    .option('--start-in <duration>', 'not before this long from now, e.g. 5m')
    .option('--start-at <time>', 'not before this ISO time')
    .option('--ttl <duration>', 'not begun later than so long after that; it ends as Cancelled (Expired) instead')
    .option('--idempotency-key <key>', 'of all runs of the flow with this key there is one')
    .option('--debounce <duration>', 'gather calls into one run, which begins once nobody has called for so long')
    .option('--debounce-key <key>', 'which calls of the flow are gathered together (default: all)')
    .option('--debounce-max <duration>', 'begin so long after the first call at the latest')
    .option('--name <name>', 'name of the run for people')
    .option('--tag <tag>', 'tag of the run; may be repeated', collect, [])
    .option('--refresh-cache', 'compute its cached values again, for others to find')
    .option('--watch', 'show its live tree until it ends')
    .option('--json', 'print one JSON object on standard output and nothing else')
    .action(perform(async () => (await import('./commands/runs-submit.ts')).submitRun));
  declareBulk(runs.command('cancel').description('cancel runs: those named, or those that fit filters'))
    .argument('[id...]')
    .option('--message <text>', 'why, for whoever reads it')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/runs-change.ts')).cancelRuns));
  declareBulk(
    runs
      .command('retry')
      .description(
        'try a failed, crashed or cancelled run again, here and now, or by the workers those that fit filters; recorded tasks are kept',
      ),
  )
    .argument('[id]')
    .option('--from <task>', 'run this task and all after it again as well')
    .option('--json', 'print one JSON object on standard output and nothing else')
    .action(perform(async () => (await import('./commands/runs-reopen.ts')).retryRun));
  runs
    .command('resume')
    .description('continue a run whose process is gone, here and now; recorded tasks are kept')
    .argument('<id>')
    .option('--json', 'print one JSON object on standard output and nothing else')
    .action(perform(async () => (await import('./commands/runs-reopen.ts')).resumeRun));
  declareBulk(
    runs.command('unpin').description('let pinned runs continue with any version of their flow: those named, or those that fit filters'),
  )
    .argument('[id...]')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/runs-change.ts')).unpinRuns));
  runs
    .command('signal')
    .description('send a signal to a run that waits for it, or will')
    .argument('<id>')
    .argument('<name>', 'as in ctx.waitFor(name)')
    .option('--data <json>', 'what the run is given: JSON')
    .option('--json', 'print one JSON object')
    .action(perform(async () => (await import('./commands/runs-change.ts')).signalRun));
  declareBulk(
    runs.command('delete').alias('rm').description('delete runs with all that belongs to them: those named, or those that fit filters'),
  )
    .argument('[id...]')
    .option('--force', 'also those that have not ended')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/runs-change.ts')).deleteRuns));
}

/** Adds the options that select many runs. */
function declareBulk(command: Command): Command {
  return declareRunFilters(command).option('--all', 'every run').option('--yes', 'do it; without, what fits the filters is only counted');
}
