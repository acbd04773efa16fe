/** The commands `backfill …`. */
import type { Command } from 'commander';
import type { Perform } from './perform.ts';

const help = `
Each run has its tick as ctx.run.scheduledFor. A scheduler makes them in order as places become free.

  batuta backfill daily-sales --from 2026-01-01 --to 2026-02-01 --max-parallel 4
  batuta backfill daily-sales --from 2026-01-01 --to 2026-02-01 --dry-run`;

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
    .option('--watch', 'show how far it is until it ends')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action((deployment: string | undefined, options, command) =>
      perform(command, async (context) => (await import('./commands/backfill.ts')).backfill(context, deployment, options)),
    );
  backfill
    .command('ls')
    .alias('list')
    .description('list backfills, newest first')
    .option('--deployment <name>', 'of this deployment')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action((_options, command: Command) =>
      perform(command, async (context) => (await import('./commands/backfill-ls.ts')).listBackfills(context, command.optsWithGlobals())),
    );
  backfill
    .command('inspect')
    .description('print how far a backfill is, and which of its runs failed')
    .argument('<id>')
    .option('--watch', 'show how far it is until it ends')
    .option('--json', 'print JSON')
    .action((id: string, _options, command: Command) =>
      perform(command, async (context) =>
        (await import('./commands/backfill-inspect.ts')).inspectBackfill(context, id, optionsOf(command)),
      ),
    );
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
      .action((id: string, _options, command: Command) =>
        perform(command, async (context) =>
          (await import('./commands/backfill-inspect.ts')).steerBackfill(context, verb, id, optionsOf(command)),
        ),
      );
  }
}

/** An option that the group has as well is read by the group, wherever it stands. */
function optionsOf(command: Command): { readonly watch?: boolean; readonly json?: boolean } {
  return command.optsWithGlobals();
}
