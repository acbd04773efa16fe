/** The commands `alerts …` and `errors …`. */
import type { Command } from 'commander';
import { collect, makeGroup, type Perform } from './declare.ts';

/** Adds the commands about alerts. */
export function declareAlertCommands(program: Command, perform: Perform): void {
  const alerts = makeGroup(program, 'alerts', 'what rules have found, and who is told');
  alerts
    .command('ls')
    .alias('list')
    .description('list alerts that fire, last found first')
    .option('--all', 'those that are over as well')
    .option('--rule <name>', 'of this rule')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/alerts.ts')).listAlerts));
  alerts
    .command('inspect')
    .alias('show')
    .argument('<id>', 'its last 8 characters are enough')
    .description('show an alert with all its deliveries and the answers to them')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/alerts.ts')).inspectAlert));
  alerts
    .command('resolve')
    .argument('<id>')
    .description('end an alert; a condition that still holds stays quiet until it ends')
    .option('--json', 'print the alert as JSON')
    .action(perform(async () => (await import('./commands/alerts.ts')).resolveAlert));
  alerts
    .command('silence')
    .argument('[rule]', 'default: all rules')
    .description('keep alerts from being sent for a while')
    .requiredOption('--for <duration>', 'how long, such as 2h')
    .option('--group <name>', 'of this deployment, flow, queue or host alone')
    .option('--reason <text>', 'why, for others')
    .option('--json', 'print the silence as JSON')
    .action(perform(async () => (await import('./commands/alerts.ts')).silenceAlerts));
  alerts
    .command('silences')
    .description('list silences that have not ended')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/alerts.ts')).listSilences));
  alerts
    .command('unsilence')
    .argument('<id>')
    .description('end a silence')
    .option('--json', 'print an array of its id')
    .action(perform(async () => (await import('./commands/alerts.ts')).endSilence));
  alerts
    .command('rules')
    .description('list the rules')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/alert-rules.ts')).listRules));
  alerts
    .command('rule')
    .argument('<name>')
    .description('show a rule with its latest deliveries')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/alert-rules.ts')).showRule));
  alerts
    .command('add')
    .argument('<name>')
    .description('create or replace a rule')
    .requiredOption('--on <condition>', 'failed, crashed, late, missed, no-worker, or JSON such as {"longer":"10m"}')
    .option('--flow <name>', 'of runs of this flow; may be repeated', collect, [])
    .option('--deployment <name>', 'of runs of this deployment; may be repeated', collect, [])
    .option('--tag <tag>', 'of runs with this tag; may be repeated', collect, [])
    .option('--queue <name>', 'of this queue; may be repeated', collect, [])
    .option('--by <what>', 'what one alert is about: deployment, flow, rule (default: deployment)')
    .option('--webhook <url>', 'post it there; may be repeated', collect, [])
    .option('--secret <name>', 'name of the secret that signs what is posted')
    .option('--slack <secret>', 'name of the secret that holds the address of an incoming webhook of Slack; may be repeated', collect, [])
    .option('--email <address>', 'mail it; may be repeated', collect, [])
    .option('--run <deployment>', 'run a deployment; may be repeated', collect, [])
    .option('--params <json>', 'parameters that what is run gets, laid over its own')
    .option('--cancel', 'cancel the run that it is about')
    .option('--pause', 'pause the deployment that it is about')
    .option('--repeat <duration>', 'while it fires, send it again after so long; 0s: for each occurrence')
    .option('--no-resolved', 'do not send its end')
    .option('--description <text>', 'what to do about it')
    .option('--json', 'print the rule as JSON')
    .action(perform(async () => (await import('./commands/alert-rules.ts')).addRule));
  for (const [verb, description] of [
    ['pause', 'pause rules: they find nothing, and their alerts end'],
    ['resume', 'resume rules'],
    ['delete', 'delete rules; their alerts stay'],
  ] as const)
    alerts
      .command(verb)
      .argument('<name...>')
      .description(description)
      .option('--json', 'print an array of the names')
      .action(perform(async () => (await import('./commands/alert-rules.ts')).changeRules[verb]));
  alerts
    .command('test')
    .argument('<rule>')
    .description('have a scheduler send a test to everyone the rule notifies')
    .option('--json', 'print the firing as JSON')
    .action(perform(async () => (await import('./commands/alert-rules.ts')).testRule));
}

/** Adds the commands about errors. */
export function declareErrorCommands(program: Command, perform: Perform): void {
  const errors = makeGroup(program, 'errors', 'errors that runs have ended with, grouped');
  errors
    .command('ls')
    .alias('list')
    .description('list open errors, last seen first')
    .option('--all', 'resolved and ignored ones as well')
    .option('--flow <name>', 'of this flow')
    .option('--since <when>', 'seen since: a duration ago such as 1d, or an ISO time')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/errors.ts')).listErrors));
  for (const [verb, description] of [
    ['resolve', 'resolve an error; it is open again once it comes again'],
    ['ignore', 'ignore an error, however often it comes'],
    ['reopen', 'open an error that was resolved or ignored'],
  ] as const)
    errors
      .command(verb)
      .argument('<key>', 'as the list shows it')
      .description(description)
      .option('--flow <name>', 'where several flows have an error of that key')
      .option('--json', 'print the error as JSON')
      .action(perform(async () => (await import('./commands/errors.ts')).markError[verb]));
}
