/** Commands about API keys. */
import type { Command } from 'commander';
import { makeGroup } from './make-group.ts';
import type { Perform } from './perform.ts';

/** Adds the commands. */
export function declareKeyCommands(program: Command, perform: Perform): void {
  const key = makeGroup(program, 'key', 'API keys, by which the server knows who asks');
  key
    .command('create')
    .description('make a key and print it; it is shown this once')
    .requiredOption('--name <name>', 'whom or what it is for, as the audit shows it')
    .requiredOption('--role <role>', 'viewer (looks), operator (runs, cancels, pauses) or admin (everything)')
    .option('--expires <duration>', 'how long it lasts, e.g. 90d (default: until it is revoked)')
    .option('--json', 'print JSON')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/key-create.ts')).createKey(context, options)),
    );
  key
    .command('ls')
    .alias('list')
    .description('list the keys, newest first')
    .option('--json', 'print a JSON array')
    .action((options, command) => perform(command, async (context) => (await import('./commands/key-ls.ts')).listKeys(context, options)));
  key
    .command('revoke')
    .description('end a key at once, with the sessions that were opened by it')
    .argument('<id>', 'id of the key, or its beginning or end')
    .option('--json', 'print JSON')
    .action((id: string, options, command) =>
      perform(command, async (context) => (await import('./commands/key-revoke.ts')).revokeKey(context, id, options)),
    );
}
