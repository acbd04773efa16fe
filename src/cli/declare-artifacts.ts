/** Commands about artifacts. */
import type { Command } from 'commander';
import { makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareArtifactCommands(program: Command, perform: Perform): void {
  const artifact = makeGroup(program, 'artifact', 'what tasks show, and its versions by key across runs');
  artifact
    .command('ls')
    .alias('list')
    .description('list artifacts, newest first')
    .option('--key <key>', 'versions of this key alone')
    .option('--keys', 'list keys instead, each with its newest version')
    .option('--kind <kind>', 'markdown, table, link, json, image, file, chart, progress or rejects')
    .option('--search <text>', 'part of the name; with --keys of the key')
    .option('--limit <n>', 'how many at most, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/artifacts.ts')).listArtifacts));
  artifact
    .command('show')
    .argument('[id]', 'id of the artifact, or the last 8 characters of it')
    .description('print an artifact')
    .option('--key <key>', 'the newest version of this key')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/artifacts.ts')).showArtifact));
  artifact
    .command('get')
    .argument('[id]', 'id of the artifact, or the last 8 characters of it')
    .description('save what an artifact holds: the bytes of a file or an image, else Markdown or JSON')
    .option('--key <key>', 'the newest version of this key')
    .option('-o, --output <path>', 'a file or a folder; - for standard output (default: its own name, here)')
    .option('--force', 'replace a file that is there')
    .option('--json', 'print one JSON object that says what was saved where')
    .action(perform(async () => (await import('./commands/artifact-get.ts')).getArtifact));
  artifact
    .command('compare')
    .argument('[ids...]', 'two ids, the earlier first; one is compared with the version before it')
    .description('print how two artifacts differ')
    .option('--key <key>', 'the newest version of this key, beside the one before')
    .option('--by <column>', 'of tables: the column that rows are known by')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/artifacts.ts')).compareTwo));
}
