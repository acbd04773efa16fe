/** Commands about the project and its database: init, config, doctor, db. */
import type { Command } from 'commander';
import { makeGroup } from './make-group.ts';
import type { Perform } from './perform.ts';

/** Adds the commands. */
export function declareProjectCommands(program: Command, perform: Perform): void {
  program
    .command('init')
    .description('make a project that works: a flow, package.json, tsconfig.json, a compose file')
    .argument('[dir]', 'folder to make it in', '.')
    .action((dir: string, _options, command) =>
      perform(command, async (context) => (await import('./commands/init.ts')).init(context, dir)),
    );
  program
    .command('config')
    .description('print every setting with where it comes from')
    .option('--json', 'print JSON')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/config.ts')).printConfig(context, options)),
    );
  program
    .command('doctor')
    .description('check Node, the settings, the database, Redis, the clock and the flows')
    .option('--json', 'print JSON')
    .action((options, command) => perform(command, async (context) => (await import('./commands/doctor.ts')).doctor(context, options)));
  const db = makeGroup(program, 'db', 'look after the database');
  db.command('migrate')
    .description('bring the tables to this version; safe to repeat')
    .option('--json', 'print JSON')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/db-migrate.ts')).migrate(context, options)),
    );
  db.command('prune')
    .description('delete runs that ended long ago, with all that belongs to them')
    .option('--older-than <duration>', 'how long ago, e.g. 30d (default: the retention setting)')
    .option('--dry-run', 'only say how many')
    .option('--json', 'print JSON')
    .action((options, command) => perform(command, async (context) => (await import('./commands/db-prune.ts')).prune(context, options)));
}
