/** The commands `deploy`, `deployment …` and `backfill …`. */
import type { Command } from 'commander';
import { collect, makeGroup, type Perform } from './declare.ts';

const deployHelp = `
Deploying again changes what is there: a pause made by hand and the identity of schedules stay.`;

/** Adds the commands. */
export function declareDeploymentCommands(program: Command, perform: Perform): void {
  declareDeploy(program, perform);
  const deployment = makeGroup(program, 'deployment', 'look at deployments and steer them');
  declareReaders(deployment, perform);
  declareWriters(deployment, perform);
}

function declareDeploy(program: Command, perform: Perform): void {
  program
    .command('deploy')
    .description('give a flow a schedule, a trigger, or a name under which it is run with parameters of its own')
    .argument('[flow]', 'a file, or the name of a flow; `:Class` chooses among several in one file')
    .option('--cron <expression>', '5 fields, 6 with seconds first, or @daily and the like; may be repeated', collect, [])
    .option('--interval <duration>', "a duration or a number of seconds, e.g. '1 hour'; may be repeated", collect, [])
    .option('--rrule <rule>', 'RFC 5545; may be repeated', collect, [])
    .option('--timezone <zone>', 'whose wall clock counts (default: UTC)')
    .option('--anchor <time>', 'a time the interval ticks at (default: 2001-01-01, midnight in the zone)')
    .option('--start <time>', 'no tick before this ISO time')
    .option('--end <time>', 'no tick at or after this ISO time')
    .option('--jitter <duration>', 'each run starts up to so much later than its tick')
    .option('--on <source>', 'what starts it: event:order.created, completed:extract, failed:flow:extract; may be repeated', collect, [])
    .option('--where <path=value>', 'only where this stands, e.g. payload.total=5; may be repeated', collect, [])
    .option('--map <parameter=path>', 'a parameter of what it is started by, e.g. id=payload.order.id; may be repeated', collect, [])
    .option('--within <duration>', 'once all that --on names have occurred within this time')
    .option('--debounce <duration>', 'once nothing more has occurred for so long')
    .option('--max-wait <duration>', 'with --debounce: so long after the first at the latest')
    .option('--by <path>', 'path whose value keeps windows and debounces apart, e.g. payload.customer')
    .option('--backfills', 'ends of runs of backfills count as well')
    .option('--name <name>', 'name of the deployment (default: that of the flow)')
    .option('--params <json>', 'parameters of its runs as a JSON object, or @file')
    .option('-p, --param <key=value>', 'one parameter; may be repeated', collect, [])
    .option('--tag <tag>', 'tag of its runs; may be repeated', collect, [])
    .option('--queue <name>', 'workers of this queue execute its runs (default: default)')
    .option('--priority <n>', 'from -100 to 100; higher goes first (default: 0)')
    .option('--catchup <policy>', 'ticks missed while no scheduler was up: none, latest, all (default: latest)')
    .option('--catchup-window <duration>', 'ticks missed longer ago are not made up (default: 1h)')
    .option(
      '--overlap <policy>',
      'a tick while an earlier run goes on: allow, skip, buffer-one, buffer-all, cancel-running (default: allow)',
    )
    .option('--concurrency <n>', 'its runs at the same time; others wait (default: any number)')
    .option('--rate-limit <n/duration>', 'so many of its runs begin in any window of that length, such as 100/1m; others wait')
    .option('--fairness <template>', 'key by which its runs take turns, such as {customer} (default: as its flow says)')
    .option('--slots <n>', "how many of a worker's places one of its runs takes (default: as its flow says)")
    .option('--retention <duration>', 'how long its ended runs are kept, or forever (default: the retention setting)')
    .option('--description <text>', 'what it is for')
    .option('--paused', 'begin paused')
    .option('--all', 'deploy what batuta.config.ts declares')
    .option('--prune', 'with --all: delete what was deployed from batuta.config.ts and is no longer in it')
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print what was made as JSON')
    .addHelpText('after', deployHelp)
    .action(perform(async () => (await import('./commands/deploy.ts')).deploy));
}

function declareReaders(deployment: Command, perform: Perform): void {
  deployment
    .command('ls')
    .alias('list')
    .description('list deployments by name, with their next tick and newest run')
    .option('--flow <name>', 'of this flow')
    .option('--tag <tag>', 'with this tag')
    .option('--search <text>', 'with this in their name')
    .option('--paused', 'only those that are paused')
    .option('--limit <n>', 'how many at most, 1 to 1000', '100')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/deployments.ts')).listDeployments));
  deployment
    .command('inspect')
    .description('print all that is known of a deployment: schedules, next ticks, parameters, newest runs')
    .argument('<name>')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/deployments.ts')).inspectDeployment));
  deployment
    .command('versions')
    .description('list the versions of a deployment, newest first, and what each changed')
    .argument('<name>')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/deployments.ts')).listVersions));
}

function declareWriters(deployment: Command, perform: Perform): void {
  deployment
    .command('run')
    .description('hand a run of a deployment to the workers now')
    .argument('<name>')
    .option('--params <json>', 'laid over the parameters of the deployment: a JSON object, or @file')
    .option('-p, --param <key=value>', 'one parameter; may be repeated', collect, [])
    .option('--name <name>', 'name of the run for people')
    .option('--tag <tag>', 'further tag of the run; may be repeated', collect, [])
    .option('--refresh-cache', 'compute its cached values again, for others to find')
    .option('--queue <name>', 'workers of this queue execute it (default: that of the deployment)')
    .option('--priority <n>', 'from -100 to 100; higher goes first (default: that of the deployment)')
    .option('--start-in <duration>', 'not before this long from now, e.g. 5m')
    .option('--start-at <time>', 'not before this ISO time')
    .option('--ttl <duration>', 'not begun later than so long after that; it ends as Cancelled (Expired) instead')
    .option('--watch', 'show its live tree until it ends')
    .option('--json', 'print one JSON object on standard output and nothing else')
    .action(perform(async () => (await import('./commands/deployment-changes.ts')).runDeployment));
  for (const verb of ['pause', 'resume'] as const) {
    deployment
      .command(verb)
      .description(
        verb === 'pause'
          ? 'let the schedules of a deployment make no runs until it is resumed; deploying does not end that'
          : 'let the schedules of a deployment make runs again; what it was paused for is not made up',
      )
      .argument('<name>')
      .option('--schedule <slug>', 'this schedule alone')
      .option('--json', 'print JSON')
      .action(perform(async () => (await import('./commands/deployment-changes.ts')).switchDeployment(verb)));
  }
  deployment
    .command('delete')
    .alias('rm')
    .description('delete deployments with their schedules; their runs stay')
    .argument('<name...>')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/deployment-changes.ts')).deleteDeployments));
}

const backfillHelp = `
Each run has its tick as ctx.run.scheduledFor. A scheduler makes them in order as places become free.`;

/** Adds the commands. */
export function declareBackfillCommands(program: Command, perform: Perform): void {
  const backfill = program
    .command('backfill')
    .description('run a deployment over ticks of the past')
    .argument('[deployment]')
    .option('--from <time>', 'ticks from this ISO time on; on the wall clock of the schedule when it has no offset')
    .option('--to <time>', 'ticks before this ISO time, and none that lie ahead')
    .option('--schedule <slug>', 'over the ticks of this schedule (default: the only one)')
    .option('--max-parallel <n>', 'runs at the same time', '1')
    .option('--newest-first', 'begin with the newest tick')
    .option('--dry-run', 'only say how many runs, and for which ticks')
    .option('--yes', 'also when it is more than 10,000 runs')
    .option('--watch', 'show its progress until it ends')
    .option('--json', 'print JSON')
    .addHelpText('after', backfillHelp)
    .action(perform(async () => (await import('./commands/backfill.ts')).backfill));
  backfill
    .command('ls')
    .alias('list')
    .description('list backfills, newest first')
    .option('--deployment <name>', 'of this deployment')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/backfills.ts')).listBackfills));
  backfill
    .command('inspect')
    .description('print the progress of a backfill, and which of its runs failed')
    .argument('<id>')
    .option('--watch', 'show its progress until it ends')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/backfills.ts')).inspectBackfill));
  for (const verb of ['cancel', 'resume'] as const) {
    backfill
      .command(verb)
      .description(
        verb === 'cancel'
          ? 'make no further runs, and cancel those that have not ended'
          : 'run again what failed or was cancelled, and go on with the rest',
      )
      .argument('<id>')
      .option('--json', 'print JSON')
      .action(perform(async () => (await import('./commands/backfills.ts')).steerBackfill(verb)));
  }
}
