/** The commands `webhook …`. */
import type { Command } from 'commander';
import { collect, makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareWebhookCommands(program: Command, perform: Perform): void {
  const webhook = makeGroup(program, 'webhook', 'sources of events over HTTP, which sign what they send');
  webhook
    .command('add')
    .argument('<name>', 'it takes deliveries at /hooks/<name>')
    .description('create or replace a webhook')
    .option('--style <style>', 'how it signs: standard, github, stripe, header, token (default: standard)')
    .option(
      '--secret <name>',
      'name of a secret that may sign; may be repeated (default: webhook.<name>, made where there is none)',
      collect,
      [],
    )
    .option('--header <name>', 'with --style header or token: the header that holds the signature or the token')
    .option('--prefix <text>', 'with --style header: what stands before the signature, e.g. sha256=')
    .option('--encoding <encoding>', 'with --style header: hex or base64 (default: hex)')
    .option('--timestamp-header <name>', 'with --style header: header with the time, signed as <time>.<body>')
    .option('--event <template>', 'name of its events, with {name}, {payload.…} and {headers.…} (default: by its style)')
    .option('--event-id <path>', 'path of what makes an event one, e.g. payload.id')
    .option('--map <field=path>', 'what the event carries instead of the whole body; may be repeated', collect, [])
    .option('--tolerance <duration>', 'how old a signed time may be (default: 5m)')
    .option('--replay-window <duration>', 'for how long what was taken is known again (default: 30d)')
    .option('--description <text>', 'what it is for')
    .option('--json', 'print the webhook as JSON')
    .action(perform(async () => (await import('./commands/webhooks.ts')).addWebhook));
  webhook
    .command('ls')
    .alias('list')
    .description('list the webhooks with what they have taken and refused')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/webhooks.ts')).listWebhooks));
  webhook
    .command('show')
    .argument('<name>')
    .description('show a webhook')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/webhooks.ts')).showWebhook));
  webhook
    .command('delete')
    .argument('<name>')
    .description('delete a webhook; its secret and its events stay')
    .option('--json', 'print an array of the name deleted')
    .action(perform(async () => (await import('./commands/webhooks.ts')).deleteWebhook));
  webhook
    .command('test')
    .argument('<name>')
    .argument('[body]', 'JSON; - for standard input, @path for a file')
    .description('sign a body, verify it as if it had come, and say what it would do; nothing is stored')
    .option('--header <name: value>', 'a header besides those of the signature; may be repeated', collect, [])
    .option('--json', 'print { event, id, data, starts }')
    .action(perform(async () => (await import('./commands/webhooks.ts')).testWebhook));
}
