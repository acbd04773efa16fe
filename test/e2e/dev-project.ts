/** A project of its own for each test of `batuta dev`, and one terminal that runs it. */
import { afterEach, beforeEach, expect } from 'vitest';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

/** `steps` runs one task that is counted, then one that waits for a file. */
export const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { appendFileSync, existsSync } from 'node:fs';
import { word } from '../lib/word.ts';
const until = async (file: string, signal: AbortSignal) => {
  while (!existsSync(file)) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
@Flow() export class Say { @Task() async say() { return word; } }
@Flow() export class Breaks { @Task() async bad() { throw new TypeError('cannot do this', { cause: new Error('deep down') }); } }
@Flow() export class Wraps {
  async run() { try { await this.inner(); } catch (cause) { throw new Error('above it', { cause }); } }
  @Task() async inner() { throw new Error('far below'); }
}
@Flow() export class Steps {
  @Task() async once() { appendFileSync('count', 'x'); return 41; }
  @Task({ needs: ['once'] }) async wait(n: number, ctx: TaskContext) { appendFileSync('waits', 'x'); await until('go', ctx.signal); return n + 1; }
}`;
/** A configuration file that deploys `say` by a schedule. */
export const deploying = (rule: string): string => `
import { defineConfig } from 'batuta';
export default defineConfig({ deployments: [{ flow: 'say', name: 'spoken', schedules: [${rule}] }] });`;

interface Dev extends Started {
  readonly url: string;
}

export let project: CliProject;
const running = new Set<Dev>();

beforeEach(() => {
  project = makeCliProject({
    'flows/all.ts': flows,
    'lib/word.ts': `export const word = 'first';`,
    'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
  });
});
afterEach(async () => {
  for (const dev of running) {
    dev.child.kill('SIGKILL');
    await dev.finished;
  }
  running.clear();
  project.remove();
});

export async function startDev(...args: string[]): Promise<Dev> {
  const started = project.startJoined('dev', '--port', '0', ...args);
  await started.sees('Ctrl-C ends it');
  const dev = { ...started, url: /http:\/\/127\.0\.0\.1:\d+/.exec(started.output())?.[0] ?? '' };
  running.add(dev);
  void dev.finished.then(() => running.delete(dev));
  return dev;
}

/** What a command prints with `--json`. */
export async function json<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await project.batuta(...args, '--json');
  expect([args[0], status, stderr]).toEqual([args[0], 0, '']);
  return JSON.parse(stdout) as T;
}

/** Submits a run and gives it as it ended. */
export function submitAndWatch(
  ...args: string[]
): Promise<{ readonly id: string; readonly result: unknown; readonly state: { readonly name: string } }> {
  return json('runs', 'submit', ...args, '--watch');
}
