/** `batuta dev` as a user has it: one terminal that runs it, others that use it at the same time, all on one SQLite file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../support/postgres.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

/** `steps` runs one task that is counted, then one that waits for a file. */
const flows = `
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
const config = (rule: string): string => `
import { defineConfig } from 'batuta';
export default defineConfig({ deployments: [{ flow: 'say', name: 'spoken', schedules: [${rule}] }] });`;

interface Dev extends Started {
  readonly url: string;
}

let project: CliProject;
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

async function startDev(...args: string[]): Promise<Dev> {
  const started = project.startJoined('dev', '--port', '0', ...args);
  await started.sees('Ctrl-C ends it');
  const dev = { ...started, url: /http:\/\/127\.0\.0\.1:\d+/.exec(started.output())?.[0] ?? '' };
  running.add(dev);
  void dev.finished.then(() => running.delete(dev));
  return dev;
}

async function json<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await project.batuta(...args, '--json');
  expect([args[0], status, stderr]).toEqual([args[0], 0, '']);
  return JSON.parse(stdout) as T;
}

/** Submits a run and gives it as it ended. */
function submitAndWatch(
  ...args: string[]
): Promise<{ readonly id: string; readonly result: unknown; readonly state: { readonly name: string } }> {
  return json('runs', 'submit', ...args, '--watch');
}

describe('batuta dev', () => {
  it('says where it is, deploys what the file declares and runs it on time', async () => {
    project.write('batuta.config.ts', config(`{ interval: '1s' }`));
    const dev = await startDev();
    await dev.sees('spoken (say)');
    await dev.sees('Completed in');
    expect(dev.output()).toMatch(
      /open +http:\/\/127\.0\.0\.1:\d+\n +database +sqlite:\.batuta\/batuta\.db\n +flows +breaks, say, steps, wraps\n +created +spoken/,
    );
    expect((await fetch(`${dev.url}/health/live`)).status).toBe(200);
    const [run] = await json<{ deployment: string }[]>('runs', 'ls', '--limit', '1');
    expect(run?.deployment).toBe('spoken');
  });

  it('tells of runs as they start and end, of errors with what caused them', async () => {
    const dev = await startDev();
    const submitted = await project.batuta('runs', 'submit', 'breaks', '--name', 'unlucky');
    expect(submitted.status).toBe(0);
    await dev.sees('✕ breaks unlucky');
    // Through a pipe: in order, each failure once, with the places in the user's own code alone.
    expect(dev.output()).toMatch(
      /● breaks unlucky [\w-]+ Running\n[^\n]*ERROR: breaks\.bad: Failed: TypeError: cannot do this\n(?: +at [^\n]*flows\/all\.ts:\d+:\d+\)?\n)+ +caused by: Error: deep down\n(?: +at [^\n]*flows\/all\.ts:\d+:\d+\)?\n)*[^\n]*✕ breaks unlucky [\w-]+ Failed in /,
    );
    expect(dev.output().split('cannot do this')).toHaveLength(2);
    await project.batuta('runs', 'submit', 'wraps');
    await dev.sees('✕ wraps');
    await dev.sees('above it');
    expect(dev.output().split('far below')).toHaveLength(2);
    expect(await project.batuta('run', 'breaks', '--name', 'far')).toMatchObject({ status: 1 });
    await dev.sees('caused by deep down');
    expect(dev.output()).toMatch(/✕ breaks far [^]*TypeError: cannot do this\n +at flows\/all\.ts:/);
    await project.batuta('run', 'say', '--name', 'elsewhere');
    await dev.sees('✓ say elsewhere');
  });

  it('a second terminal deploys, runs, lists, cancels and asks over HTTP at the same time', async () => {
    const dev = await startDev();
    const [deployed, ran, submitted] = await Promise.all([
      json<{ outcome: string }>('deploy', 'say', '--cron', '0 0 * * *'),
      json<{ result: string }>('run', 'say'),
      json<{ id: string }>('runs', 'submit', 'steps'),
    ]);
    expect([deployed.outcome, ran.result]).toEqual(['created', 'first']);
    await dev.sees('● steps');
    const overHttp = await project.batutaWith({ BATUTA_API_URL: dev.url }, 'runs', 'ls', '--flow', 'steps', '--json');
    expect(JSON.parse(overHttp.stdout)).toMatchObject([{ id: submitted.id, state: { name: 'Running' } }]);
    expect((await json<{ id: string }[]>('deployment', 'ls')).length).toBe(1);
    await expect.poll(() => existsSync(join(project.path, 'waits'))).toBe(true);
    expect((await project.batuta('runs', 'cancel', submitted.id)).status).toBe(0);
    await dev.sees('⊘ steps');
  });

  it('serves queues as runs wait in them', async () => {
    await startDev();
    expect((await submitAndWatch('say', '--queue', 'seldom')).state.name).toBe('Completed');
  });

  it('new runs take the new version of what a flow imports, and a new file is found', async () => {
    const dev = await startDev();
    expect((await submitAndWatch('say')).result).toBe('first');
    project.write('lib/word.ts', `export const word = 'second';`);
    await dev.sees('say changed');
    expect((await submitAndWatch('say')).result).toBe('second');
    project.write(
      'flows/deep/other.ts',
      `import { Flow, Task } from 'batuta'; @Flow() export class Other { @Task() async one() { return 1; } }`,
    );
    await dev.sees('other is new');
    expect((await submitAndWatch('other')).result).toBe(1);
  });

  it('a file that does not compile is told, and its last good version stays', async () => {
    const dev = await startDev();
    project.write('flows/all.ts', `${flows}\nclass {`);
    await dev.sees('error FILE_NOT_COMPILED: flows/all.ts:');
    const overHttp = { BATUTA_API_URL: dev.url };
    expect((await project.batutaWith(overHttp, 'deploy', 'say', '--name', 'meanwhile')).status).toBe(0);
    const ran = await project.batutaWith(overHttp, 'deployment', 'run', 'meanwhile', '--watch', '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ result: 'first' });
    project.write('flows/all.ts', flows.replace('return word', 'return word + word'));
    await dev.sees('say changed');
    expect((await submitAndWatch('say')).result).toBe('firstfirst');
  });

  it('new runs take the new version of a pipeline whose YAML has changed; one that is wrong is told with its place', async () => {
    const yaml = (step: string): string => `pipeline: told\nsteps:\n  - { step: Tell, run: ${step} }\n`;
    const dev = await startDev();
    project.write('flows/told.yaml', yaml('first'));
    project.write(
      'flows/told.ts',
      `import { pipeline } from 'batuta/steps';
export const Told = pipeline.fromYaml(new URL('./told.yaml', import.meta.url), {
  functions: { first: () => ({ told: 'first' }), second: () => ({ told: 'second' }) },
});`,
    );
    await dev.sees('told is new');
    expect((await submitAndWatch('told')).result).toEqual({ told: 'first' });
    project.write('flows/told.yaml', yaml('secnd'));
    await dev.sees('error STEP_UNKNOWN');
    expect(dev.output()).toMatch(/told\.yaml:3:\d+.*second/);
    project.write('flows/told.yaml', yaml('second'));
    await dev.sees('told changed');
    expect((await submitAndWatch('told')).result).toEqual({ told: 'second' });
  });

  it('deployments follow the configuration file; a wrong one changes nothing', async () => {
    project.write('batuta.config.ts', config(`{ cron: '0 0 * * *' }`));
    const dev = await startDev();
    project.write('batuta.config.ts', config(`{ cron: '0 99 * * *' }`));
    await dev.sees('error SCHEDULE_INVALID');
    project.write('batuta.config.ts', config(`{ cron: '30 4 * * *' }`));
    await dev.sees('30 4 * * *');
    const view = await json<{ schedules: { schedule: { cron?: string } }[] }>('deployment', 'inspect', 'spoken');
    expect(JSON.stringify(view)).toContain('30 4 * * *');
  });

  it('an alert whose secret is missing keeps nothing from being deployed', async () => {
    const declared = config(`{ cron: '0 0 * * *' }`);
    project.write(
      'batuta.config.ts',
      declared.replace('deployments:', `alerts: [{ name: 'failures', on: 'failed', send: { slack: 'nowhere' } }], deployments:`),
    );
    const dev = await startDev();
    await dev.sees('error SECRET_NOT_FOUND');
    expect(dev.output()).toContain('not all alerts are in force');
    expect(await json<object[]>('deployment', 'ls')).toMatchObject([{ name: 'spoken' }]);
  });

  it('killed without a word, the next start goes on with its runs; what was recorded is not done again', async () => {
    const first = await startDev();
    const { id } = await json<{ id: string }>('runs', 'submit', 'steps');
    await expect.poll(() => existsSync(join(project.path, 'waits'))).toBe(true);
    first.child.kill('SIGKILL');
    await first.finished;
    const second = await startDev();
    await expect.poll(() => readFileSync(join(project.path, 'waits'), 'utf8'), { timeout: 20_000 }).toBe('xx');
    writeFileSync(join(project.path, 'go'), '');
    await second.sees('✓ steps');
    expect((await json<{ result: number }>('runs', 'inspect', id)).result).toBe(42);
    expect(readFileSync(join(project.path, 'count'), 'utf8')).toBe('x');
  });

  it('a run that ends it again and again is told apart: it becomes Crashed, and the next start stays', async () => {
    project.write(
      'flows/poison.ts',
      `import { Flow, Task } from 'batuta';
       @Flow() export class Poison { @Task() async end(ctx: any) { ctx.log.info('about to end'); queueMicrotask(() => { throw new Error('of nobody'); }); await new Promise(() => undefined); } }`,
    );
    const env = { BATUTA_MAX_RECOVERIES: '1' };
    const first = project.startWith(env, 'dev', '--port', '0');
    await first.sees('Ctrl-C ends it');
    const { id } = await json<{ id: string }>('runs', 'submit', 'poison');
    const ended = await first.finished;
    expect(ended.status).toBe(1);
    // Its start was not printed yet, and what it logged was held until then.
    expect(ended.stderr).toContain('about to end');
    expect((await project.startWith(env, 'dev', '--port', '0').finished).status).toBe(1);
    const third = project.startWith(env, 'dev', '--port', '0');
    await third.sees('Ctrl-C ends it');
    const states = async () => (await json<{ id: string; state: { name: string } }[]>('runs', 'ls')).map((run) => [run.id, run.state.name]);
    await expect.poll(states, { timeout: 20_000 }).toEqual([[id, 'Crashed']]);
    third.child.kill('SIGINT');
    expect((await third.finished).status).toBe(0);
  });

  it('Ctrl-C lets what runs finish; a second one leaves at once', async () => {
    const patient = await startDev();
    await project.batuta('runs', 'submit', 'steps');
    await expect.poll(() => existsSync(join(project.path, 'waits'))).toBe(true);
    patient.child.kill('SIGINT');
    await patient.sees('Ctrl-C again leaves at once');
    writeFileSync(join(project.path, 'go'), '');
    expect((await patient.finished).status).toBe(0);
    expect(patient.output()).toContain('✓ steps');

    writeFileSync(join(project.path, 'waits'), '');
    const hasty = await startDev();
    await project.batuta('runs', 'submit', 'steps');
    await hasty.sees('● steps');
    hasty.child.kill('SIGINT');
    await hasty.sees('Ctrl-C again leaves at once');
    hasty.child.kill('SIGINT');
    expect([0, 130]).toContain((await hasty.finished).status);
  });

  it('refuses a port that another one has, and says which is free to take', async () => {
    const dev = await startDev();
    const port = new URL(dev.url).port;
    const { status, stderr } = await project.batuta('dev', '--port', port);
    expect([status, stderr]).toEqual([
      2,
      `error CONFIG_INVALID: Another Batuta (dev or server) listens on port ${port} already. Stop it, or start this one beside it with --port ${Number(port) + 1}.\n`,
    ]);
  });

  it('begins where there are no flows yet, and takes them as they appear', async () => {
    const bare = makeCliProject({ 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
    const dev = bare.start('dev', '--port', '0');
    try {
      await dev.sees('none in flows yet');
      await dev.sees('Ctrl-C ends it');
      bare.write('flows/one.ts', `import { Flow, Task } from 'batuta'; @Flow() export class One { @Task() async one() { return 1; } }`);
      await dev.sees('one is new');
    } finally {
      dev.child.kill('SIGKILL');
      await dev.finished;
      bare.remove();
    }
  });

  it('works on PostgreSQL as it does on the embedded database', async () => {
    const database = await createDatabase();
    const env = { BATUTA_DATABASE_URL: database.url, BATUTA_BROKER_URL: database.url };
    const dev = project.startWith(env, 'dev', '--port', '0');
    try {
      await dev.sees('Ctrl-C ends it');
      const { stdout } = await project.batutaWith(env, 'runs', 'submit', 'say', '--watch', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ result: 'first' });
      await dev.sees('✓ say');
      dev.child.kill('SIGTERM');
      expect((await dev.finished).status).toBe(0);
    } finally {
      dev.child.kill('SIGKILL');
      await dev.finished;
      await database.drop();
    }
  });
});
