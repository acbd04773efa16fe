/** What is told when code of a flow ends the process that executes it, or throws past everything. */
import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const flows = `
import { EventEmitter } from 'node:events';
import { exit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { z } from 'zod';
const params = z.object({ how: z.string() });
type P = z.infer<typeof params>;
const forEver = (): Promise<never> => new Promise(() => setInterval(() => undefined, 1000));
@Flow({ params })
export class Escaping {
  @Task() async first() { return 1; }
  @Task({ needs: ['first'] }) async work(n: number, ctx: TaskContext<P>): Promise<number> {
    switch (ctx.params.how) {
      case 'floating': void Promise.reject(new TypeError('forgotten')); await forEver(); break;
      case 'floating at the end': void Promise.reject(new TypeError('forgotten')); break;
      case 'timer': setTimeout(() => { throw new TypeError('in a timer'); }, 5); await forEver(); break;
      case 'emitter': { const emitter = new EventEmitter(); setTimeout(() => emitter.emit('error', new TypeError('unheard')), 5); await forEver(); break; }
      case 'not an error': void Promise.reject('only text'); await forEver(); break;
      case 'exit': process.exit(0);
      case 'imported exit': exit(3);
      case 'microtask': queueMicrotask(() => { throw new TypeError('in a microtask'); }); await forEver(); break;
      case 'an object': void Promise.reject({ status: 3 }); await forEver(); break;
      case 'exit in a timer': setTimeout(() => process.exit(4), 5); await forEver(); break;
      case 'caught exit': try { process.exit(5); } catch {} await forEver(); break;
      case 'abort': process.abort();
      case 'kill': process.kill(process.pid, 'SIGKILL');
      case 'late': setTimeout(() => { throw new TypeError('too late'); }, 50); break;
    }
    return n;
  }
  @Task({ needs: ['work'] }) async rest(n: number): Promise<number> { await sleep(150); return n; }
}
@Flow({ params })
export class Coded {
  async run({ how }: P, ctx: FlowContext<P>): Promise<string> {
    if (how === 'floating') void Promise.reject(new TypeError('forgotten'));
    if (how === 'timer') setTimeout(() => { throw new TypeError('in a timer'); }, 5);
    if (how === 'microtask') queueMicrotask(() => { throw new TypeError('in a microtask'); });
    if (how === 'exit') process.exit(0);
    return await forEver();
  }
}
@Flow()
export class Patient { @Task() async wait(): Promise<string> { await sleep(2500); return 'was not disturbed'; } }
@Flow()
export class Retried {
  @Task({ retries: 1 }) async work(ctx: TaskContext): Promise<number> {
    if (ctx.task.attempt === 1) { void Promise.reject(new Error('once')); setTimeout(() => { throw new Error('twice'); }, 30); await forEver(); }
    await sleep(100);
    return ctx.task.attempt;
  }
}
const isWorker = process.argv.includes('worker');
const stray = <T>(value: T): T => {
  if (isWorker) { void Promise.reject(new TypeError('forgotten')); setTimeout(() => process.exit(9), 5); }
  return value;
};
@Flow({
  retries: 1, retryIf: () => stray(true), retryDelay: () => stray(20),
  concurrency: { limit: 9, key: () => stray('a') }, rateLimit: { limit: 99, per: '1s', key: () => stray('b') },
})
export class Careless {
  @Task({
    retries: 1, when: () => stray(true), runName: () => stray('named'), retryIf: () => stray(true), retryDelay: () => stray(20),
    cache: { ttl: () => stray(1_000), key: () => stray('c'), refresh: () => stray(true) },
  })
  async work(ctx: TaskContext): Promise<number> { if (ctx.task.attempt === 1 || ctx.run.attempt === 1) throw new Error('again'); await sleep(20); return 1; }
}
const astray = <T>(value: T): T => {
  if (process.argv.includes('server')) { void Promise.reject(new TypeError('forgotten')); setTimeout(() => { throw new TypeError('late'); }, 5); setTimeout(() => process.exit(9), 5); }
  return value;
};
@Flow({ params: z.object({ n: z.number().refine(() => astray(true)) }), runName: () => astray('named'), concurrency: { limit: 9, key: () => astray('a') }, fairness: () => astray('b') })
export class Accepted { @Task() async work(): Promise<number> { return 1; } }
@Flow()
export class Constructed {
  constructor() { void Promise.reject(new TypeError('made carelessly')); }
  @Task() async work(): Promise<number> { await sleep(20); return 1; }
}`;

const project = makeCliProject({ 'flows/escaping.ts': flows });
afterAll(() => project.remove());

interface Outcome {
  readonly state: { readonly name: string; readonly message: string | null };
  readonly error: { readonly code: string; readonly stack: string } | null;
  readonly result: unknown;
  readonly tasks: readonly { readonly name: string; readonly attempts: number; readonly state: { readonly name: string } }[];
}

async function run(flow: string, how?: string): Promise<Outcome & { readonly status: number | null; readonly stderr: string }> {
  const { status, stdout, stderr } = await project.batuta('run', flow, ...(how === undefined ? [] : ['-p', `how=${how}`]), '--json');
  return { ...(JSON.parse(stdout) as Outcome), status, stderr };
}

describe('an error that escapes a task', () => {
  it.each([
    ['floating', 'A promise that task work did not await was rejected: forgotten'],
    ['timer', 'An error was thrown in a callback of task work, past its call: in a timer'],
    ['microtask', 'An error was thrown in a callback of task work, past its call: in a microtask'],
    ['an object', 'A promise that task work did not await was rejected: {"status":3}'],
    ['emitter', 'An error was thrown in a callback of task work, past its call: unheard'],
    ['not an error', 'A promise that task work did not await was rejected: only text'],
    ['exit', 'Code of task work called process.exit(0); a task ends by returning or throwing.'],
    ['imported exit', 'Code of task work called process.exit(3); a task ends by returning or throwing.'],
    ['exit in a timer', 'Code of task work called process.exit(4); a task ends by returning or throwing.'],
    ['caught exit', 'Code of task work called process.exit(5); a task ends by returning or throwing.'],
    ['abort', 'Code of task work called process.abort(); a task ends by returning or throwing.'],
    ['kill', 'Code of task work called process.kill(process.pid, "SIGKILL"); a task ends by returning or throwing.'],
  ])('fails that task, and the run prints its one JSON object (%s)', async (how, message) => {
    const { status, state, error, tasks } = await run('escaping', how);
    expect({ status, state: state.name, message: state.message, code: error?.code }).toEqual({
      ...{ status: 1, state: 'Failed', message: `Task work failed: ${message}`, code: 'ERROR_ESCAPED' },
    });
    expect(tasks.map(({ name, state: { name: stands } }) => [name, stands])).toEqual([
      ['first', 'Completed'],
      ['work', 'Failed'],
      ['rest', 'UpstreamFailed'],
    ]);
    if (how !== 'not an error' && how !== 'an object') expect(error?.stack).toContain('flows/escaping.ts:');
  });

  it.each(['floating at the end', 'late'])('fails the run when the task has ended already (%s)', async (how) => {
    const { status, state, tasks } = await run('escaping', how);
    expect([status, state.name]).toEqual([1, 'Failed']);
    expect(state.message).toContain('task work');
    expect(tasks.at(-1)).toMatchObject({ name: 'rest', state: { name: 'Completed' } });
  });

  it.each(['floating', 'timer', 'microtask', 'exit'])('fails the code flow whose body it escapes (%s)', async (how) => {
    const { status, state } = await run('coded', how);
    expect([status, state.name]).toEqual([1, 'Failed']);
    expect(state.message).toContain('the flow coded');
  });

  it('counts as a failed attempt, after which late errors of it change nothing', async () => {
    expect(await run('retried')).toMatchObject({ status: 0, state: { name: 'Completed' }, result: 2, tasks: [{ attempts: 2 }] });
  });

  it('comes from any function that an option of a flow or task is, and takes nothing else with it', async () => {
    const worker = project.start('worker');
    await worker.sees('serves');
    const patient = (await project.batuta('runs', 'submit', 'patient')).stdout.trim();
    const careless = (await project.batuta('runs', 'submit', 'careless')).stdout.trim();
    for (const id of [careless, patient]) await project.batuta('runs', 'watch', id);
    const stateOf = async (id: string) => JSON.parse((await project.batuta('runs', 'inspect', id, '--json')).stdout) as object;
    expect(await stateOf(patient)).toMatchObject({ state: { name: 'Completed' }, recoveries: 0 });
    expect(await stateOf(careless)).toMatchObject({ state: { name: 'Failed' }, error: { code: 'ERROR_ESCAPED' }, recoveries: 0 });
    worker.child.kill('SIGTERM');
    expect((await worker.finished).status).toBe(0);
  });

  it('fails the run when it comes from the constructor of the flow', async () => {
    expect(await run('constructed')).toMatchObject({ status: 1, state: { name: 'Failed' } });
  });

  it('leaves the server alone to which the run is submitted', async () => {
    const server = project.start('server', '--port', '0');
    await server.sees('Server at http://');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())?.[0] ?? '';
    const post = async (path: string, body: unknown): Promise<number> =>
      (await fetch(`${url}/api/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
        .status;
    expect(await post('runs', { flow: 'accepted', params: { n: 1 } })).toBe(201);
    await server.sees('A promise that the flow accepted did not await was rejected: forgotten');
    await server.sees('An error was thrown in a callback of the flow accepted, past its call: late');
    await server.sees('Code of the flow accepted called process.exit(9)');
    expect(await post('deployments', { flow: 'accepted', params: { n: 1 } })).toBe(200);
    expect(await post('deployments/accepted/run', { params: { n: 2 } })).toBe(201);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect((await server.finished).status).toBe(0);
  });

  it('leaves the worker and all its other runs alone', async () => {
    const worker = project.start('worker');
    await worker.sees('serves');
    const patient = (await project.batuta('runs', 'submit', 'patient')).stdout.trim();
    const ids: string[] = [];
    for (const how of ['floating', 'timer', 'exit', 'abort']) {
      ids.push((await project.batuta('runs', 'submit', 'escaping', '-p', `how=${how}`)).stdout.trim());
    }
    for (const id of [...ids, patient]) await project.batuta('runs', 'watch', id);
    for (const id of ids) {
      const { stdout } = await project.batuta('runs', 'inspect', id, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ state: { name: 'Failed' } });
    }
    const { stdout } = await project.batuta('runs', 'inspect', patient, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: { name: 'Completed' }, result: 'was not disturbed' });
    worker.child.kill('SIGTERM');
    expect((await worker.finished).status).toBe(0);
  });
});

describe('an error that belongs to no run', () => {
  it.each([
    ['a throw', `throw new TypeError('of the program')`],
    ['a rejection', `void Promise.reject(new TypeError('of the program'))`],
  ])('ends a program that embeds Batuta as Node.js would end it (%s)', async (_, statement) => {
    const program = project.write(
      'program.mjs',
      `import { openClient } from 'batuta/client'; await openClient(); setTimeout(() => { ${statement}; }, 5); setInterval(() => 0, 1000);`,
    );
    const { status, stderr } = await project.node(program);
    expect([status, stderr]).toEqual([1, expect.stringContaining('TypeError: of the program')]);
  });

  it('reaches the listeners of the program that embeds Batuta, and no others', async () => {
    const program = project.write(
      'listening.mjs',
      `import { openClient } from 'batuta/client'; const client = await openClient();
       process.on('unhandledRejection', (error) => { console.log('rejected', error.message); });
       process.on('uncaughtException', (error) => { console.log('thrown', error.message); });
       setTimeout(() => { void Promise.reject(new Error('one')); }, 5);
       setTimeout(() => { throw new Error('two'); }, 10);
       setTimeout(() => client.close(), 50);`,
    );
    expect(await project.node(program)).toMatchObject({ status: 0, stdout: 'rejected one\nthrown two\n' });
  });

  it('is logged by the worker, which leaves its runs to others and ends', async () => {
    project.write(
      'flows/trap.ts',
      `if (process.argv.includes('worker')) setTimeout(() => { throw new TypeError('of nobody'); }, 2500); export {};`,
    );
    const worker = project.start('worker');
    await worker.sees('serves');
    const id = (await project.batuta('runs', 'submit', 'patient')).stdout.trim();
    const { status, stderr } = await worker.finished;
    expect([status, stderr]).toEqual([1, expect.stringContaining('of nobody')]);
    const { stdout } = await project.batuta('runs', 'inspect', id, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: { name: expect.stringMatching(/Resuming|Scheduled|Running|Pending/) as string } });
    project.write('flows/trap.ts', `if (process.argv.includes('worker')) setTimeout(() => process.exit(0), 1500); export {};`);
    const exiting = await project.start('worker').finished;
    expect([exiting.status, exiting.stderr]).toEqual([
      1,
      expect.stringContaining('called process.exit(0). What it was executing is left to other processes.'),
    ]);
  });
});
