/** Examples of every command, as its help prints them. A test parses each of them. */
import type { Command } from 'commander';
import { programName } from '../base/program-name.ts';

/** Command lines without `batuta`, by the words of the command. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  init: ['init my-flows', 'init'],
  run: [
    'run flows/hello.ts -p name=Ada',
    `run flow-name --params '{"month":"01"}'`,
    'run flows/several.ts:Second --params @params.json --json',
  ],
  dev: ['dev', 'dev --port 4300 --grace 5s'],
  config: ['config', 'config --json'],
  doctor: ['doctor'],
  completion: ['completion bash', 'completion zsh', 'completion fish'],
  'db migrate': ['db migrate'],
  'db prune': ['db prune --older-than 30d --dry-run'],
  'artifact ls': ['artifact ls --keys', 'artifact ls --key rates'],
  'artifact show': ['artifact show 5d1e7c0a', 'artifact show --key rates'],
  'artifact get': ['artifact get --key rates -o rates.json'],
  'artifact compare': ['artifact compare --key rates', 'artifact compare 5d1e7c0a 7a004c1e --by day'],
  'reporter ls': ['reporter ls'],
  'results ls': ['results ls'],
  'results move': ['results move --to s3://bucket/prefix --dry-run'],
  'key create': ['key create --name ci --role operator --expires 90d'],
  'key ls': ['key ls'],
  'key revoke': ['key revoke 4f1c09ab'],
  'limit ls': ['limit ls'],
  'limit set': ['limit set tag:database 5', 'limit set tag:api 100 --per 1m'],
  'limit delete': ['limit delete tag:database', 'limit delete tag:api --rate'],
  'flow ls': ['flow ls --json'],
  'flow inspect': ['flow inspect hello'],
  'flow graph': ['flow graph hello', 'flow graph flows/hello.ts --format mermaid'],
  'flow stats': ['flow stats hello --since 7d'],
  'flow types': ['flow types', 'flow types --check'],
  'schedule preview': [
    "schedule preview --cron '0 9 * * MON-FRI' --timezone Europe/Lisbon",
    "schedule preview --interval '1 hour' --count 10",
  ],
  deploy: [
    `deploy --cron "0 0 * * *" daily-sales`,
    `deploy daily-sales --cron "0 9 * * MON-FRI" --cron "0 12 * * SAT" --timezone Europe/Lisbon`,
    `deploy flows/sync.ts --interval "15 min" --overlap skip -p region=eu --name sync-eu`,
    `deploy flows/load.ts --on completed:extract --map rows=result.rows`,
    `deploy flows/invoice.ts --on event:order.created --map order=payload.id --where payload.paid=true`,
    'deploy --all --dry-run',
  ],
  'deployment ls': ['deployment ls --paused'],
  'deployment inspect': ['deployment inspect daily-sales'],
  'deployment versions': ['deployment versions daily-sales'],
  'deployment run': ['deployment run daily-sales -p region=us --watch'],
  'deployment pause': ['deployment pause daily-sales', 'deployment pause daily-sales --schedule nightly'],
  'deployment resume': ['deployment resume daily-sales'],
  'deployment delete': ['deployment delete daily-sales sync-eu'],
  backfill: [
    'backfill daily-sales --from 2026-01-01 --to 2026-02-01 --max-parallel 4',
    'backfill daily-sales --from 2026-01-01 --to 2026-02-01 --dry-run',
  ],
  'webhook add': [
    'webhook add shop                                     # Standard Webhooks; makes a secret and shows it once',
    'webhook add github --style github --secret github-hook',
    'webhook add pay --style stripe --secret stripe-hook --map invoice=payload.data.object.id',
  ],
  'webhook ls': ['webhook ls'],
  'webhook show': ['webhook show shop'],
  'webhook delete': ['webhook delete shop'],
  'webhook test': [`webhook test shop '{"type":"order.created"}'`],
  'event emit': [`event emit order.created '{"id":1001,"total":59.9}'`, 'event emit order.created @order.json --id order-1001'],
  'event ls': ['event ls --name order.created --since 1h'],
  'event show': ['event show order-1001'],
  'backfill ls': ['backfill ls --deployment daily-sales'],
  'backfill inspect': ['backfill inspect 7a004c1e --watch'],
  'backfill cancel': ['backfill cancel 7a004c1e'],
  'backfill resume': ['backfill resume 7a004c1e'],
  export: [
    'export runs --since 30d -o runs.parquet',
    'export logs --flow hello --level warn --format ndjson | head',
    'export statistics --by hour --format csv',
  ],
  'runs ls': ['runs ls --state failed --since 24h', 'runs ls --flow hello --limit 10 --json'],
  'runs inspect': ['runs inspect 7a004c1e'],
  'runs logs': ['runs logs 7a004c1e --level warn', 'runs logs 019bc1f2 --follow'],
  'runs rejects': ['runs rejects 7a004c1e', 'runs rejects 019bc1f2 --retry --watch'],
  'runs stream': ['runs stream 7a004c1e tokens', 'runs stream 7a004c1e tokens --details --after 120'],
  'runs watch': ['runs watch 7a004c1e'],
  'runs submit': ['runs submit hello -p name=Ada --watch', 'runs submit hello --start-in 5m --queue reports'],
  'runs cancel': ['runs cancel 7a004c1e', 'runs cancel --flow hello --state running --yes'],
  'runs retry': ['runs retry 7a004c1e --from load', 'runs retry --state failed --since 2h --yes'],
  'runs resume': ['runs resume 7a004c1e'],
  'runs unpin': ['runs unpin 7a004c1e', 'runs unpin --flow hello --pinned 3f2a1b9c0d4e --yes'],
  'runs signal': [`runs signal 7a004c1e approval --data '{"by":"Ada"}'`],
  'runs delete': ['runs delete 7a004c1e', 'runs delete --flow hello --state completed --yes'],
  worker: ['worker', 'worker --queue reports --queue default --concurrency 4', 'worker --grace 25s'],
  'worker ls': ['worker ls'],
  scheduler: ['scheduler'],
  server: ['server --port 4300'],
  health: ['health'],
  'secret set': [
    'secret set stripe-key                          # asks for the value, which is not shown',
    'secret set stripe-key < key.txt                # reads standard input',
    'secret set tls @certs/key.pem                  # reads a file',
    'secret set stripe-key --ref env:STRIPE_KEY     # stays where it is',
    'secret set stripe-key --ref vault:kv/stripe    # by a resolver of batuta.config.ts',
  ],
  'secret get': ['secret get stripe-key'],
  'secret ls': ['secret ls'],
  'secret delete': ['secret delete stripe-key'],
  'secret rotate': ['secret rotate'],
  'variable set': ['variable set threshold 0.8', `variable set regions '["eu","us"]'`],
  'variable get': ['variable get threshold'],
  'variable ls': ['variable ls'],
  'variable delete': ['variable delete threshold'],
  'connection set': [
    'connection set warehouse --kind postgres -f host=db -f database=shop -f user=etl --secret password',
    'connection set warehouse --url @url.txt',
    'connection set crm --kind http -f baseUrl=https://crm.example --secret token=env:CRM_TOKEN',
  ],
  'connection get': ['connection get warehouse'],
  'connection ls': ['connection ls'],
  'connection delete': ['connection delete warehouse'],
  'alerts ls': ['alerts ls', 'alerts ls --all --rule failures'],
  'alerts inspect': ['alerts inspect 5f1c0e9a'],
  'alerts resolve': ['alerts resolve 5f1c0e9a'],
  'alerts silence': ['alerts silence failures --for 2h --reason migration', 'alerts silence failures --group nightly --for 1d'],
  'alerts silences': ['alerts silences'],
  'alerts unsilence': ['alerts unsilence 0198d2a4-77c1-7c3e-9c1f-5f1c0e9a44d2'],
  'alerts rules': ['alerts rules'],
  'alerts rule': ['alerts rule failures'],
  'alerts add': [
    'alerts add failures --on failed --tag prod --email oncall@example.com',
    `alerts add slow --on '{"longer":{"p95":2}}' --deployment nightly --slack ops-slack --repeat 1h`,
    `alerts add flaky --on '{"failureRate":0.2,"within":"1h"}' --by flow --webhook https://hooks.example.com/batuta --secret hook-key`,
    `alerts add stuck --on '{"longer":"6h"}' --deployment import --cancel`,
    `alerts add empty --on '{"metric":"rows","below":1}' --run cleanup --params '{"dry":true}'`,
  ],
  'alerts pause': ['alerts pause failures slow'],
  'alerts resume': ['alerts resume failures'],
  'alerts delete': ['alerts delete failures'],
  'alerts test': ['alerts test failures'],
  'errors ls': ['errors ls', 'errors ls --flow nightly --since 1d --all'],
  'errors resolve': ['errors resolve 5f1c0e9a44d2b7aa'],
  'errors ignore': ['errors ignore 5f1c0e9a44d2b7aa'],
  'errors reopen': ['errors reopen 5f1c0e9a44d2b7aa --flow nightly'],
  'cache ls': ['cache ls --flow hello'],
  'cache show': ['cache show 5d1e7c'],
  'cache clear': ['cache clear --flow hello --task load', 'cache clear --expired'],
};

/** Adds examples to the help of each command. */
export function addExamples(parent: Command, path: readonly string[] = []): void {
  for (const command of parent.commands) {
    const words = [...path, command.name()];
    const lines = examples[words.join(' ')] ?? (command.commands.length === 0 ? [shortestUse(command, words)] : []);
    if (lines.length > 0) command.addHelpText('after', ['', 'Examples:', ...lines.map((line) => `  ${programName()} ${line}`)].join('\n'));
    addExamples(command, words);
  }
}

/** A command without an example is shown with its required arguments. */
function shortestUse(command: Command, words: readonly string[]): string {
  const needed = command.registeredArguments.filter(({ required }) => required);
  return [...words, ...needed.map((argument) => `<${argument.name()}>`)].join(' ');
}
