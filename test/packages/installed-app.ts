/** A project of a user's that has installed the package as it is published, from npm's registry. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { inject } from 'vitest';
import { makeProject } from '../support/project-folder.ts';

export interface InstalledApp {
  readonly path: string;
  write(name: string, text: string): string;
  read(name: string): string;
  /** Runs a command of the project or of the system and gives what it printed on both outputs; colours are off. */
  run(command: string, ...args: string[]): Promise<Outcome>;
  /** Runs a line in bash until both outputs together match, calls `use`, ends it by Ctrl-C, and gives all it printed. @throws Error when it ends before. */
  runUntil(line: string, seen: RegExp, env?: Readonly<Record<string, string>>, use?: () => Promise<void>): Promise<string>;
  remove(): void;
}

export interface Outcome {
  readonly status: number | null;
  /** Standard output and error as they came. */
  readonly output: string;
}

export interface AppOptions {
  /** Fields of package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** What is installed beside Batuta, as npm takes it, e.g. `jest@30`. */
  readonly packages?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Further arguments of `npm install`. */
  readonly flags?: readonly string[];
}

/** Makes it and installs. Install scripts do not run: none may be needed. */
export async function installApp({ manifest, packages = [], files = {}, flags = [] }: AppOptions = {}): Promise<InstalledApp> {
  const app = makeApp({ 'package.json': JSON.stringify({ name: 'app', private: true, type: 'module', ...manifest }), ...files });
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  const { status, output } = await app.run('npm', 'install', ...quiet, ...flags, inject('tarball'), ...packages);
  if (status !== 0) throw new Error(`npm install ended with ${status}:\n${output}`);
  return app;
}

/** A project in which nothing is installed yet. */
export function makeApp(files: Readonly<Record<string, string>>): InstalledApp {
  const { path, write, remove } = makeProject(files, { modules: false });
  return {
    path,
    write,
    remove,
    read: (name) => readFileSync(join(path, name), 'utf8'),
    run: (command, ...args) => run(path, command, args),
    runUntil: (line, seen, env = {}, use = async () => undefined) => runUntil(path, line, seen, env, use),
  };
}

/** Of what vitest and npm set for their children nothing may reach a project of others. */
function ownEnvironment(cwd: string): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_registry)|VITEST|TEST|NODE_(ENV|OPTIONS|PATH)|BATUTA_)/i.test(name),
  );
  const path = `${join(cwd, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  return { ...Object.fromEntries(kept), PATH: path, NO_COLOR: '1' };
}

function run(cwd: string, command: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { cwd, env: ownEnvironment(cwd), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}

async function runUntil(
  cwd: string,
  line: string,
  seen: RegExp,
  env: Readonly<Record<string, string>>,
  use: () => Promise<void>,
): Promise<string> {
  // In a group of its own: Ctrl-C reaches npx and what it has started.
  const child = spawn('bash', ['-c', line], {
    cwd,
    env: { ...ownEnvironment(cwd), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const ended = once(child, 'close');
  const isSeen = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (seen.test(output)) resolve();
      });
  });
  const isEarly = await Promise.race([isSeen.then(() => false), ended.then(() => true)]);
  if (isEarly) throw new Error(`${line} ended before it said ${seen}:\n${output}`);
  try {
    await use();
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
  }
  return output;
}

/** A flow of two tasks, one of which takes parameters. */
export const flowText = `import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

@Flow({ name: 'greeting' })
export class Greeting {
  static readonly params = z.object({ name: z.string() });
  static readonly result = 'shout';

  @Task()
  async hello(ctx: TaskContext<typeof Greeting>): Promise<string> {
    return \`Hello, \${ctx.params.name}\`;
  }

  @Task({ needs: ['hello'] })
  async shout(text: string): Promise<string> {
    return \`\${text}!\`;
  }
}
`;

/** Runs that flow and prints its result. */
export function mainText(flowFile: string): string {
  return `import { run } from 'batuta';
import { Greeting } from '${flowFile}';

async function main(): Promise<void> {
  console.log(await run(Greeting, { name: 'Ada' }));
}
void main();
`;
}

export const legacyConfig = {
  target: 'es2022',
  strict: true,
  experimentalDecorators: true,
  esModuleInterop: true,
  skipLibCheck: true,
} as const;
