/** Commands about the inbox. */
import type { Command } from 'commander';
import { makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareInboxCommands(program: Command, perform: Perform): void {
  const inbox = makeGroup(program, 'inbox', 'what runs wait for people to decide');
  inbox
    .command('ls')
    .alias('list')
    .description('list what is to be decided, newest first')
    .option('--status <status>', 'open, decided, expired, withdrawn or all', 'open')
    .option('--flow <name>', 'of this flow')
    .option('--run <id>', 'of this run')
    .option('--limit <n>', 'most decisions, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/inbox.ts')).listInbox));
  inbox
    .command('show')
    .argument('<id>', 'id of the decision, or of the run that waits for it alone')
    .description('print one decision with the fields of its answer')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/inbox.ts')).showInbox));
  withAnswer(inbox.command('decide'))
    .description('decide; the first decision counts')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/inbox.ts')).decideInbox));
  withAnswer(inbox.command('link'))
    .description('print an address that gives this answer once it is opened and confirmed')
    .option('--for <name>', 'the name of the key who alone may use it')
    .option('--expires <duration>', 'how long it holds, e.g. 2 days', '7 days')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/inbox.ts')).linkInbox));
}

function withAnswer(command: Command): Command {
  return command
    .argument('<id>', 'id of the decision, or of the run that waits for it alone')
    .option('--approve', 'the answer { "approved": true }')
    .option('--reject', 'the answer { "approved": false }')
    .option('--comment <text>', 'goes with --approve and --reject')
    .option('--data <json>', 'the answer as JSON');
}
