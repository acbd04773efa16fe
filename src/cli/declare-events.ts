/** The commands `event …`. */
import type { Command } from 'commander';
import { makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareEventCommands(program: Command, perform: Perform): void {
  const event = makeGroup(program, 'event', 'what has happened elsewhere, and starts deployments that have a trigger for it');
  event
    .command('emit')
    .argument('<name>', 'such as order.created')
    .argument('[payload]', 'JSON; - for standard input, @path for a file')
    .description('tell what has happened')
    .option('--id <id>', 'by which it is one event however often it is emitted (default: a new one)')
    .option('--at <time>', 'when it occurred: an ISO time, or a duration ago such as 5m (default: now)')
    .option('--json', 'print the event as JSON')
    .action(perform(async () => (await import('./commands/events.ts')).emitEvent));
  event
    .command('ls')
    .alias('list')
    .description('list events that were emitted or came by webhooks, newest first')
    .option('--name <name>', 'of this name')
    .option('--source <source>', 'webhook:<name>')
    .option('--since <when>', 'received since: a duration ago such as 30m, or an ISO time')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/events.ts')).listEvents));
  event
    .command('show')
    .argument('<id>')
    .description('show an event with its payload')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/events.ts')).showEvent));
}
