/** `batuta dev` as a user has it: one terminal that runs it, others that use it at the same time, all on one SQLite file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDatabase } from '../support/postgres.ts';
import { deploying, json, project, startDev, submitAndWatch } from './dev-project.ts';

describe('batuta dev', () => {
  it('says where it is, deploys what the file declares and runs it on time', async () => {
    project.write('batuta.config.ts', deploying(`{ interval: '1s' }`));
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

  it('an alert whose secret is missing keeps nothing from being deployed', async () => {
    const declared = deploying(`{ cron: '0 0 * * *' }`);
    project.write(
      'batuta.config.ts',
      declared.replace('deployments:', `alerts: [{ name: 'failures', on: 'failed', send: { slack: 'nowhere' } }], deployments:`),
    );
    const dev = await startDev();
    await dev.sees('error SECRET_NOT_FOUND');
    expect(dev.output()).toContain('not all alerts could be set');
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
      `import { AsyncLocalStorage } from 'node:async_hooks';
       import { Flow, Task } from 'batuta';
       const outside = AsyncLocalStorage.snapshot();
       @Flow() export class Poison { @Task() async end(ctx: any) { ctx.log.info('about to end'); outside(setTimeout, () => { throw new Error('of nobody'); }); await new Promise(() => undefined); } }`,
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
      `error CONFIG_INVALID: Another Batuta (dev or server) listens on port ${port} already. Stop it, or start this one as well with --port ${Number(port) + 1}.\n`,
    ]);
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
