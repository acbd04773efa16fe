/**
 * The guides, followed from the first to the last in one project as a user would: the flows that they show are saved, `batuta dev` runs in another
 * terminal, and every command is typed as it is printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CodeBlock, readBlocks } from '../../support/documents.ts';
import { installApp, type InstalledApp } from '../installed-app.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** In the order in which the README names them. One is left out: `test/e2e/flows-from-a-container.test.ts` follows it, in projects with a container. */
const guides = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\]\((docs\/guides\/[\w-]+\.md)\)/g)]
  .map(([, path = '']) => path)
  .filter((path) => !path.endsWith('/dependency-injection.md'));

/** Blocks of commands that need what is not on every computer: other machines, containers, buckets. */
const elsewhere = /docker|redis:|postgres:\/\/|s3:|https:\/\/batuta\.example|BATUTA_HOST=0\.0\.0\.0/;
/** What goes on until Ctrl-C. Its ports are those of whoever runs the tests too, so another test starts it, on a free one. */
const goesOn = /^npx batuta (dev|server|worker|scheduler)\b(?! ls)/;
/** What is typed after something has gone wrong: a result that was lost or damaged. */
const mends = /^npx batuta runs retry .*--from report/;
/** What a new user has done by then: the project is there, and installed. */
const done = /^(npx batuta init|cd |npm install)/;

/** Ids in the guides stand for what the reader has: the newest of the kind that the command takes. */
const newest: readonly (readonly [command: RegExp, list: string])[] = [
  [/^npx batuta key /, 'key ls'],
  [/^npx batuta backfill /, 'backfill ls'],
  [/^npx batuta errors /, 'errors ls --all'],
  [/^npx batuta /, 'runs ls'],
];

const broken = `import { Flow, Task } from 'batuta';
@Flow() export class Broken { @Task() async fail(): Promise<void> { throw new Error('no rows'); } }
`;

let app: InstalledApp;
beforeAll(async () => {
  app = await installApp({ packages: ['zod', 'typescript', '@types/node@20', ...packagesOfBlocks()] });
  expect(await app.run('npx', 'batuta', 'init', 'my-flows')).toMatchObject({ status: 0 });
  const [weather] = readBlocks(join(root, 'README.md')).filter(({ code }) => code.includes('class Weather'));
  app.write('my-flows/flows/weather.ts', weather?.code ?? '');
  // Who reads about errors has one.
  app.write('my-flows/broken.ts', broken);
  expect(await inProject('npx batuta run broken.ts')).toMatchObject({ status: 1 });
}, 300_000);
afterAll(() => app.remove());

test('every command of every guide does in one project what the guide says', async () => {
  const failed: unknown[] = [];
  const follow = async (): Promise<void> => {
    for (const guide of guides) failed.push(...(await followGuide(guide)));
  };
  await app.runUntil('cd my-flows && npx batuta dev', /Ctrl-C ends it/, { BATUTA_PORT: '0' }, follow);
  const compiled = await inProject('npx tsc -p .');
  expect([failed, compiled]).toEqual([[], { status: 0, output: '' }]);
}, 1_800_000);

/** Saves what it shows, types what it prints; gives the lines that did not end well. */
async function followGuide(guide: string): Promise<unknown[]> {
  const failed: unknown[] = [];
  const blocks = readBlocks(join(root, guide));
  const config = app.read('my-flows/batuta.config.ts');
  for (const block of blocks) if (block.language === 'ts') save(guide, block);
  // The terminal of the reader keeps its key for secrets; other settings are those of what one guide is about.
  for (const name of exported.keys()) if (!name.startsWith('BATUTA_SECRET_KEY')) exported.delete(name);
  for (const { code } of blocks.filter(({ language }) => language === 'sh')) {
    if (elsewhere.test(code)) continue;
    for (const line of code
      .trim()
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')) {
      if (done.test(line) || goesOn.test(line) || mends.test(line)) continue;
      const typed = await withIds(line);
      // What asks for a value on a terminal reads it from standard input here.
      const { status, output } = line.startsWith('export ') ? await setVariable(line) : await inProject(`( ${typed}\n) <<< "a value"`);
      if (status !== 0 || /warning|error [A-Z]/.test(output)) failed.push([guide, line, status, output]);
    }
  }
  app.write('my-flows/batuta.config.ts', config);
  return failed;
}

/** Variables that were exported, by name. */
const exported = new Map<string, string>();

async function setVariable(line: string) {
  const name = /^export (\w+)=/.exec(line)?.[1] ?? '';
  const outcome = await inProject(`${line}\nprintf %s "$${name}"`);
  exported.set(name, outcome.output);
  return outcome;
}

function save(guide: string, { code, at }: CodeBlock): void {
  const flow = /^export class (\w+)/m.exec(code)?.[1];
  const name = guide.replace(/^.*\/|\.md$/g, '');
  if (/^export default defineConfig\(/m.test(code) && code.includes("from 'batuta'")) app.write('my-flows/batuta.config.ts', code);
  else if (flow !== undefined && code.includes('@Flow(')) app.write(`my-flows/flows/${kebab(flow)}.ts`, code);
  else app.write(`my-flows/test/${name}-${at}.ts`, code);
}

function kebab(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

async function withIds(line: string): Promise<string> {
  const found = /<(?:id|key)>|\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{8}\b/.exec(line)?.[0];
  const list = newest.find(([command]) => command.test(line))?.[1];
  if (found === undefined || list === undefined) return line;
  const { output } = await inProject(`npx batuta ${list} --json`);
  const [first] = JSON.parse(output) as readonly { readonly id?: string; readonly key?: string }[];
  if (first === undefined) throw new Error(`${line}: there is none for its id.`);
  return line.replace(found, first.id ?? first.key ?? '');
}

function inProject(script: string) {
  const variables = [...exported].map(([name, value]) => `export ${name}='${value}'\n`).join('');
  return app.run('bash', '-c', `cd my-flows && set -o pipefail\n${variables}${script}`);
}

/** What the blocks import beside Batuta, zod and Node.js. */
function packagesOfBlocks(): string[] {
  const codes = guides.flatMap((guide) => readBlocks(join(root, guide))).filter(({ language }) => language === 'ts');
  const names = codes.flatMap(({ code }) => [...code.matchAll(/from '((?:@[\w-]+\/)?[\w-]+)[^']*'/g)].map(([, name = '']) => name));
  return [...new Set(names)].filter((name) => !['batuta', 'zod', 'node'].includes(name));
}
