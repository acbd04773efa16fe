/** Commands about the project, its database, large results, API keys and limits. */
import { Argument, type Command, Option } from 'commander';
import { exportFormats, exportKinds } from '../client/export/export-client.ts';
import { printCompletion, shells } from './completion.ts';
import { makeGroup, type Perform } from './declare.ts';
import { declareRunFilters } from './read-run-filter.ts';

/** Adds the commands. */
export function declareProjectCommands(program: Command, perform: Perform): void {
  program
    .command('init')
    .description('make a project that works: a flow, package.json, tsconfig.json, a compose file')
    .argument('[dir]', 'folder to make it in', '.')
    .action(perform(async () => (await import('./commands/project.ts')).init));
  program
    .command('config')
    .description('print every setting with where it comes from')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/project.ts')).printConfig));
  program
    .command('doctor')
    .description('check Node, the settings, the database, Redis, the clock and the flows')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/doctor.ts')).doctor));
  declareRunFilters(program.command('export'))
    .description('write runs, and what belongs to them, to a file or to standard output')
    .addArgument(new Argument('<what>', 'what to export').choices(exportKinds))
    .addOption(new Option('--format <format>', 'default: the ending of the file').choices(exportFormats))
    .option('-o, --output <file>', 'file to write; - or none: standard output')
    .option('--force', 'replace the file that is there')
    .option('--level <level>', 'of logs: of this level and above')
    .addOption(new Option('--by <stretch>', 'of statistics: by hour or day (default: day)').choices(['hour', 'day']))
    .action(perform(async () => (await import('./commands/export.ts')).exportRows));
  program
    .command('completion')
    .description('print what a shell reads to complete commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(perform(async () => printCompletion(program)));
  const db = makeGroup(program, 'db', 'look after the database');
  db.command('migrate')
    .description('bring the tables to this version; safe to repeat')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/db.ts')).migrate));
  db.command('prune')
    .description('delete runs that ended long ago, with all that belongs to them')
    .option('--older-than <duration>', 'how long ago, e.g. 30d (default: the retention setting)')
    .option('--dry-run', 'only say how many')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/db.ts')).prune));
  const results = makeGroup(program, 'results', 'results over 256 KiB, which are kept beside the rows');
  results
    .command('ls')
    .alias('list')
    .description('list the places where they lie, with how many and how large')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/results.ts')).listResults));
  results
    .command('move')
    .description('move those of ended runs to where new ones go; safe to interrupt and to repeat')
    .option('--to <place>', 'store, s3://bucket/prefix, or the folder of the setting (default: the results setting)')
    .option('--dry-run', 'only say how many')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/results.ts')).moveLargeResults));
}

/** Adds the commands. */
export function declareKeyCommands(program: Command, perform: Perform): void {
  const key = makeGroup(program, 'key', 'API keys, by which the server knows who asks');
  key
    .command('create')
    .description('make a key and print it; it is shown this once')
    .requiredOption('--name <name>', 'whom or what it is for, as the audit shows it')
    .requiredOption(
      '--role <role>',
      'observer (looks, without payloads and logs), viewer (looks), operator (runs, cancels, pauses) or admin (everything)',
    )
    .option('--expires <duration>', 'how long it lasts, e.g. 90d (default: until it is revoked)')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/keys.ts')).createKey));
  key
    .command('ls')
    .alias('list')
    .description('list the keys, newest first')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/keys.ts')).listKeys));
  key
    .command('revoke')
    .description('end a key at once, with the sessions that were opened by it')
    .argument('<id>', 'id of the key, or its beginning or end')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/keys.ts')).revokeKey));
}

/** Adds the commands. */
export function declareLimitCommands(program: Command, perform: Perform): void {
  const limit = makeGroup(program, 'limit', 'limits on what goes on at the same time, and on what begins in a window of time');
  limit
    .command('ls')
    .alias('list')
    .description('list limits with who holds them and who waits')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/limits.ts')).listLimits));
  limit
    .command('set')
    .argument('<name>', 'tag:<tag>, for tasks that have the tag')
    .argument('<slots>', 'how many may be executed at the same time, over all runs and processes; 0: none; with --per: how many may begin')
    .description('set a limit, or with --per a rate, on the tasks of a tag')
    .option('--per <duration>', 'a rate: so many may begin in any window of this length, 100ms to 31 days')
    .option('--key <template>', 'with --per: one rate for each value, such as {customer}')
    .option('--json', 'print the limit as JSON')
    .action(perform(async () => (await import('./commands/limits.ts')).setLimit));
  limit
    .command('delete')
    .argument('<name>', 'tag:<tag>')
    .description('take the limit and the rate of a tag away; whatever waits for them continues')
    .option('--slots', 'only the limit on what runs at the same time')
    .option('--rate', 'only the rate')
    .option('--json', 'print an array of the name deleted')
    .action(perform(async () => (await import('./commands/limits.ts')).deleteLimit));
}
