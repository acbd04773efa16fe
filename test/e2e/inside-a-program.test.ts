/** Worker, scheduler, server and all three inside a user's program, each example of the guide as it is printed there. */
import { readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transform } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import { readBlocks } from '../support/documents.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const guide = readBlocks('docs/guides/inside-your-program.md').filter(({ language }) => language === 'typescript');

/** The example of the guide that holds a text. */
function example(text: string): string {
  const [found, ...others] = guide.filter(({ code }) => code.includes(text));
  if (found === undefined || others.length > 0) throw new Error(`One example of the guide must hold ${text}.`);
  return found.code;
}

const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };

let project: CliProject;
const started: Started[] = [];

/** Writes a program as JavaScript, as a user's compiler would, and starts it. */
async function start(source: string, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  project ??= makeCliProject();
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node20', tsconfigRaw });
  const program = project.startNode(project.write('main.mjs', code), { PORT: '0', ...env });
  started.push(program);
  return program;
}

function withPackages(...names: readonly string[]): void {
  project = makeCliProject();
  for (const name of names) symlinkSync(resolve('node_modules', name), join(project.path, 'node_modules', name));
}

afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ finished }) => finished));
  project?.remove();
  project = undefined as unknown as CliProject;
});

async function runs(...args: string[]): Promise<readonly { id: string; flow: string; state: { name: string } }[]> {
  const { stdout } = await project.batuta('runs', 'ls', '--json', ...args);
  return JSON.parse(stdout) as never;
}

/** Says at which port a server of the program listens; put before its code. */
const sayPort = `import { Server } from 'node:net';
const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) { this.once('listening', () => console.log('port ' + this.address().port + ';')); return listen.apply(this, args); };
`;

async function portOf(program: Started): Promise<string> {
  await expect.poll(() => /port (\d+);/.exec(program.output())?.[1] ?? '').not.toBe('');
  return `http://127.0.0.1:${/port (\d+);/.exec(program.output())?.[1] ?? ''}`;
}

describe('serve', () => {
  test('deploys, runs the ticks and ends by itself with Ctrl-C', async () => {
    const program = await start(example('await serve(').replace('port: 4200', 'port: 0'));
    await program.sees('dashboard at http://127.0.0.1:');
    await expect.poll(async () => (await runs('--state', 'COMPLETED')).length).toBeGreaterThan(0);
    program.child.kill('SIGINT');
    const { status, stdout } = await program.finished;
    expect([status, stdout.includes('stopped')]).toEqual([0, true]);
    expect((await project.batuta('deployment', 'inspect', 'heartbeat')).stdout).toContain('by a program');
  });

  test('hands back what has not ended, and the next start goes on with it', async () => {
    const source = (ms: number): string => `
      import { appendFileSync } from 'node:fs';
      import { Flow, Task } from 'batuta';
      import { openClient } from 'batuta/client';
      import { deployment, serve } from 'batuta/process';
      @Flow() export class Long {
        @Task() async first() { appendFileSync('ledger', 'first '); return 1; }
        @Task({ needs: ['first'] }) async second(n: number) { console.log('in second'); await new Promise((resolve) => setTimeout(resolve, ${ms})); return n; }
      }
      const served = await serve([deployment(Long)], { port: 0, signals: false });
      if (${ms} > 1000) await (await openClient()).enqueue(Long);
      process.on('message', () => undefined);
      process.once('SIGTERM', () => served.stop({ graceMs: 100 }).then(() => { console.log('stopped'); process.exit(0); }));
      console.log('up');`;
    const first = await start(source(60_000));
    await first.sees('in second');
    first.child.kill('SIGTERM');
    await first.sees('stopped');
    expect((await runs()).map(({ state }) => state.name)).not.toContain('Cancelled');
    await start(source(1));
    await expect.poll(async () => (await runs())[0]?.state.name).toBe('Completed');
    expect(readFileSync(join(project.path, 'ledger'), 'utf8')).toBe('first ');
  });

  test.each([
    ['nothing that is a deployment', `serve({ flow: class {} })`, 'CONFIG_INVALID'],
    ['a schedule that is none', `serve(deployment(Hello, { cron: 'every day' }))`, 'SCHEDULE_INVALID'],
    ['two flows of one name', `serve([deployment(Hello), deployment(Other)])`, 'FLOW_DUPLICATE'],
    ['a setting that does not exist', `serve(deployment(Hello), { settings: { prot: 1 } })`, 'CONFIG_INVALID'],
    ['a base path that is none', `serve(deployment(Hello), { basePath: 'batuta' })`, 'CONFIG_INVALID'],
    ['a queue that is none', `startWorker({ queues: ['no queue'] })`, 'NAME_INVALID'],
    ['no queue', `startWorker({ queues: [] })`, 'OPTION_INVALID'],
    ['a flow that is none', `startWorker({ flows: [class Plain {}] })`, 'FLOW_NOT_FOUND'],
  ])('refuses %s in one sentence, and leaves nothing open', async (_what, call, code) => {
    const program = await start(`import { Flow, Task } from 'batuta'; import { deployment, serve, startWorker } from 'batuta/process';
      @Flow() class Hello { @Task() async a() {} }
      @Flow({ name: 'hello' }) class Other { @Task() async a() {} }
      await ${call}.catch((error) => console.log(error.code, error.message));`);
    const { status, stdout } = await program.finished;
    expect([status, stdout.split(' ', 1)[0]]).toEqual([0, code]);
  });
});

describe('a worker in a program', () => {
  test('runs what is handed in, and lets the program end', async () => {
    const { status, stdout } = await (await start(example('startWorker({ flows: [Resize]'))).finished;
    expect([status, stdout]).toEqual([0, 'resized to 42\n']);
  });

  test('takes no signal unless asked, and outlives a task that holds the event loop', async () => {
    const program = await start(
      `import { Flow, Task } from 'batuta'; import { openClient } from 'batuta/client'; import { startWorker } from 'batuta/process';
       @Flow() class Blocks { @Task() async a() { const end = Date.now() + 5_000; while (Date.now() < end); return 1; } }
       const worker = await startWorker({ flows: [Blocks] });
       console.log('listeners', process.listenerCount('SIGTERM'), process.listenerCount('SIGINT'));
       await (await openClient()).enqueue(Blocks);
       setTimeout(() => console.log('still here'), 6_000);`,
      { BATUTA_LEASE: '2s', BATUTA_HEARTBEAT: '500ms' },
    );
    await program.sees('listeners 0 0');
    await program.sees('held the event loop');
    await program.sees('still here');
    program.child.kill('SIGTERM');
    await program.finished;
    expect(program.child.signalCode).toBe('SIGTERM');
  });
});

describe.each([
  ['node:http', 'createServer(', []],
  ['Express', 'express()', ['express']],
  ['Fastify', 'fastify()', ['fastify']],
])('API and dashboard mounted in %s', (_name, text, packages) => {
  test('are below their path, for whom the program knows, and the rest of the server is as it was', async () => {
    withPackages(...packages);
    const program = await start(`${sayPort}${example(text)}`);
    const url = await portOf(program);
    const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${url}${path}`, init);
    const user = { 'x-user': 'ada' };

    expect(await (await ask('/')).text()).toBe('my own page');
    const page = await ask('/batuta/runs/some-run');
    expect(await page.text()).toContain('<base href="/batuta/" />');
    expect((await ask('/batuta/health/live')).status).toBe(200);
    expect((await ask('/batuta/api/runs')).status).toBe(401);
    expect((await ask('/batuta/api/runs', { headers: user })).status).toBe(200);
    expect(await (await ask('/batuta/api/me', { headers: user })).json()).toMatchObject({ role: 'operator', who: 'host', csrf: null });

    const limit = { method: 'PUT', body: '{"slots":3}', headers: { ...user, 'content-type': 'application/json' } };
    expect((await ask('/batuta/api/limits/x', limit)).status).toBe(403);
    const preview = { method: 'POST', body: '{"cron":"@daily"}', headers: { ...user, 'content-type': 'application/json' } };
    expect((await ask('/batuta/api/schedules/preview', preview)).status).toBe(200);
    const byCookie = { ...preview, headers: { ...preview.headers, cookie: 'session=1' } };
    expect((await ask('/batuta/api/runs/cancel', { ...byCookie, body: '{"ids":[]}' })).status).toBe(403);
    const own = { ...byCookie.headers, 'x-batuta-csrf': 'same-origin' };
    expect((await ask('/batuta/api/runs/cancel', { ...byCookie, body: '{"ids":[]}', headers: own })).status).not.toBe(403);

    program.child.kill('SIGTERM');
    expect((await program.finished).status).toBe(0);
  });
});

test('a body that was read before is told, not waited for', async () => {
  withPackages('express');
  const source = example('express()').replace(
    "app.use('/batuta', batuta);\napp.use(express.json());",
    "app.use(express.json());\napp.use('/batuta', batuta);",
  );
  const url = await portOf(await start(`${sayPort}${source}`));
  const answer = await fetch(`${url}/batuta/api/schedules/preview`, {
    method: 'POST',
    body: '{"cron":"@daily"}',
    headers: { 'x-user': 'ada', 'content-type': 'application/json' },
  });
  expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining('before body parsers')]);
});

test('events of runs come as the guide shows', async () => {
  const { status, stdout } = await (await start(example('client.events('))).finished;
  const lines = stdout.trim().split('\n');
  expect([status, lines[0]?.startsWith('hello '), lines.at(-1)]).toEqual([0, true, 'hello Completed']);
});
