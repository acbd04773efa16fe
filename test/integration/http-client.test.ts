/** The client over HTTP beside the one on the store: the same questions, the same answers. A real server, scheduler and worker stand behind. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedConfig, loadConfig } from '../../src/base/config.ts';
import { BatutaError, isBatutaError } from '../../src/base/errors.ts';
import { type Log, openLog } from '../../src/base/log.ts';
import type { Client } from '../../src/client/client.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { openHttpClient } from '../../src/client/http/open.ts';
import { openClient } from '../../src/client/open-client.ts';
import { type ServerProcess, startServer } from '../../src/server/start.ts';
import type { ListedRun, Run } from '../../src/model/run.ts';
import { makeCliProject } from '../e2e/cli-project.ts';

const flows = `
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { z } from 'zod';
const when = z.object({ at: z.date(), sizes: z.map(z.string(), z.bigint()).optional() });
@Flow({ params: when, tags: ['typed'] })
export class Typed {
  @Task() async look(ctx: TaskContext<z.infer<typeof when>>) {
    ctx.log.info({ year: ctx.params.at.getUTCFullYear() }, 'looked');
    ctx.log.warn('twice');
    await ctx.artifact.markdown('note', '# Note');
    return { at: ctx.params.at, sizes: ctx.params.sizes ?? null };
  }
}
@Flow() export class Small { @Task() async one() { return 1; } }
@Flow() export class Large { @Task() async much() { return 'x'.repeat(3_000_000); } }
@Flow() export class Fails { @Task() async good() { return 1; } @Task({ needs: ['good'] }) async bad() { throw new TypeError('cannot do this'); } }
@Flow() export class Many { @Task() async list() { return [1, 2, 3, 4, 5]; } @Task({ each: 'list' }) async item(n: number) { return n; } }
@Flow() export class Asks {
  @Task() async sum(n: number) { return n + 1; }
  async run(_params: object, ctx: FlowContext) { return this.sum(await ctx.waitFor('answer') as number); }
}
`;

let folder: string;
let project: ReturnType<typeof makeCliProject>;
let worker: ReturnType<typeof project.start>;
let loaded: LoadedConfig;
let log: Log;
let server: ServerProcess;
let local: LocalClient;
let http: Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-http-'));
  project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  const env = {
    BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`,
    BATUTA_FLOWS: join(project.path, 'flows'),
    BATUTA_PORT: String(await freePort()),
  };
  loaded = await loadConfig({ env, isTty: false });
  log = await openLog({ level: 'silent', format: 'json' });
  local = await openClient({ config: loaded.config, log });
  server = await startServer({ config: loaded.config, log, cwd: '/' });
  worker = project.start('--database-url', env.BATUTA_DATABASE_URL, 'worker');
  await worker.sees('serves default');
  http = openHttpClient({ apiUrl: server.url });
});
afterAll(async () => {
  await http.close();
  worker.child.kill('SIGTERM');
  await worker.finished;
  await server.stop(1_000);
  await local.close();
  project.remove();
  rmSync(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}

function listed({ params: _params, result: _result, resultRef: _ref, ...run }: Run): ListedRun {
  return run;
}

async function ended(flow: string, params?: unknown): Promise<Run> {
  return (await http.enqueue(flow, params)).done();
}

/** Code and message of what a call is refused for. */
async function refusalOf(call: Promise<unknown>): Promise<readonly [string, string]> {
  const error = await call.then(
    () => new BatutaError('INTERNAL', 'It was not refused.'),
    (thrown: unknown) => thrown,
  );
  if (!isBatutaError(error)) throw error;
  return [error.code, error.message];
}

describe('runs over HTTP', () => {
  it('take dates, maps and big integers, and give them back', async () => {
    const params = { at: new Date('2026-03-01T09:00:00Z'), sizes: new Map([['a', 10n]]) };
    const handle = await http.enqueue('typed', params, { name: 'named', tags: ['blue'], priority: 3 });
    expect(await handle.result()).toEqual(params);
    expect(await handle.get()).toMatchObject({ name: 'named', priority: 3, tags: expect.arrayContaining(['blue']) });
    expect(await http.runs.get(handle.id)).toEqual(await local.runs.get(handle.id));
  });

  it('are inspected as on the store, save that the values of tasks stay there', async () => {
    const { id } = await ended('typed', { at: new Date(0) });
    const near = await local.runs.inspect(id);
    const children = near.children.map((child) => listed(child as Run));
    const taskRuns = near.taskRuns.map((taskRun) => ({ ...taskRun, result: null, resultRef: null }));
    expect(await http.runs.inspect(id.slice(0, 23))).toEqual({ ...near, children, taskRuns });
    expect(near.artifacts).toHaveLength(1);
  });

  it('are listed as on the store, by filters and page by page', async () => {
    const { id } = await ended('fails');
    const all = await local.runs.list({ limit: 100 });
    const first = await http.runs.list({ limit: 2 });
    const second = await http.runs.list({ limit: 2, cursor: first.next ?? '' });
    expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 4).map(listed));
    expect(
      (await http.runs.list({ states: ['failed'], since: Date.now() - 60_000, parentRunId: null })).items.map((run) => run.id),
    ).toEqual([id]);
    expect(await refusalOf(http.runs.list({ limit: 0 }))).toMatchObject(['REQUEST_INVALID', expect.stringContaining('limit')]);
  });

  it('give their log, narrowed by level, place and end', async () => {
    const { id } = await ended('typed', { at: new Date(0) });
    const lines = await local.runs.logs(id);
    expect(await http.runs.logs(id)).toEqual(lines);
    expect(await http.runs.logs(id, { minLevel: 40 })).toEqual(lines.filter(({ level }) => level >= 40));
    expect(await http.runs.logs(id, { tail: 1 })).toEqual(lines.slice(-1));
    expect(await http.runs.logs(id, { after: lines[0]?.seq ?? 0 })).toEqual(lines.slice(1));
  });

  it('are watched to their end, and a result of megabytes arrives', async () => {
    const handle = await http.enqueue('large');
    const states: string[] = [];
    for await (const { run, taskRuns } of http.runs.watch(handle.id)) {
      states.push(run.state.name);
      if (run.endedAt !== null) expect(taskRuns.map(({ name, state }) => [name, state.name])).toEqual([['much', 'Completed']]);
    }
    expect(states.at(-1)).toBe('Completed');
    expect(await handle.result()).toHaveLength(3_000_000);
    expect((await http.runs.inspect(handle.id)).result).toHaveLength(3_000_000);
  });

  it('are watched on through a restart of the server', async () => {
    const handle = await http.enqueue('asks');
    const watching = handle.done();
    await expect
      .poll(async () => (await local.runs.inspect(handle.id)).taskRuns.length + (await local.runs.get(handle.id)).epoch)
      .toBeGreaterThan(0);
    await server.stop(1_000);
    await local.runs.signal(handle.id, 'answer', 41);
    server = await startServer({ config: loaded.config, log, cwd: '/' });
    expect((await watching).state.name).toBe('Completed');
    expect(await handle.result()).toBe(42);
  });

  it('are cancelled, signalled, tried again and deleted', async () => {
    const asking = await http.enqueue('asks');
    await asking.cancel('not needed');
    expect((await asking.done()).state).toEqual({ type: 'CANCELLED', name: 'Cancelled', message: 'not needed' });
    const answered = await http.enqueue('asks');
    expect(await http.runs.signal(answered.id, 'answer', 1)).toBe(1);
    expect(await answered.result()).toBe(2);
    const failed = await ended('fails');
    expect(await refusalOf((await http.enqueue('fails')).result())).toMatchObject(['RUN_FAILED', expect.stringContaining('ended Failed')]);
    const again = await http.runs.requeue(failed.id, { from: 'good' });
    expect(again).toMatchObject({ id: failed.id, attempt: 2 });
    for await (const { run } of http.runs.watch(failed.id)) if (run.endedAt !== null) expect(run.state.name).toBe('Failed');
    await http.runs.delete(failed.id);
    expect(await refusalOf(http.runs.get(failed.id))).toMatchObject(['RUN_NOT_FOUND', expect.any(String)]);
  });

  it('are refused with the codes and sentences of the store', async () => {
    const { id } = await ended('small');
    for (const ask of [
      (client: Client) => client.runs.get('nothing-like-it'),
      (client: Client) => client.runs.cancel(id),
      (client: Client) => client.runs.signal(id, 'answer', 1),
      (client: Client) => client.runs.signal(id, 'bad name!', 1),
      (client: Client) => client.runs.requeue(id),
      (client: Client) => client.enqueue('smal'),
      (client: Client) => client.enqueue('typed', { at: 'never' }),
      (client: Client) => client.enqueue('small', {}, { queue: 'no queue' }),
      (client: Client) => client.flows.get('smal'),
      (client: Client) => client.deployments.get('nothing'),
    ])
      expect(await refusalOf(ask(http))).toEqual(await refusalOf(ask(local)));
  });

  it('are submitted by the thousand in one request, all or none', async () => {
    const before = (await local.runs.list({ flow: 'small', limit: 1000 })).items.length;
    const wanted = Array.from({ length: 1_500 }, (_, at) => ({ queue: 'nobody', idempotencyKey: `many-${at}` }));
    const ids = await http.enqueueMany('small', wanted);
    expect(new Set(ids).size).toBe(1_500);
    expect(await http.enqueueMany('small', wanted.slice(0, 3))).toEqual(ids.slice(0, 3));
    expect(await refusalOf(http.enqueueMany('small', [{ queue: 'nobody' }, { queue: 'no queue' }]))).toMatchObject([
      'NAME_INVALID',
      expect.any(String),
    ]);
    expect((await local.runs.list({ queue: 'nobody', limit: 1000 })).items).toHaveLength(1000);
    expect(before).toBeLessThan(1_000);
    const counted = await http.runs.cancelMany({ filter: { queue: 'nobody' }, dryRun: true });
    expect(counted).toEqual({ matched: 1_500, changed: 1_500, refused: [] });
    expect(await http.runs.cancelMany({ filter: { queue: 'nobody' }, message: 'enough' })).toMatchObject({ changed: 1_500 });
    expect(await http.runs.deleteMany({ ids: ids.slice(0, 10) })).toMatchObject({ matched: 10, changed: 10 });
  });

  it('show their task runs page by page, and counted', async () => {
    const { id } = await ended('many');
    const first = await http.runs.taskRuns(id, { limit: 4 });
    const rest = await http.runs.taskRuns(id, { limit: 4, cursor: first.next ?? '' });
    expect([...first.items, ...rest.items].map(({ key }) => key)).toEqual((await local.runs.inspect(id)).taskRuns.map(({ key }) => key));
    expect((await http.runs.taskRuns(id, { name: 'item', states: ['completed'] })).items).toHaveLength(5);
    expect(await http.runs.taskCounts(id)).toEqual(await local.runs.taskCounts(id));
  });
});

describe('the rest over HTTP', () => {
  it('flows, artifacts and figures', async () => {
    await ended('typed', { at: new Date(0) });
    expect(await http.flows.list()).toEqual(await local.flows.list());
    expect(await http.flows.get('typed')).toEqual(await local.flows.get('typed'));
    expect(await http.artifacts.list({ kind: 'markdown' })).toEqual(await local.artifacts.list({ kind: 'markdown' }));
    for (const ask of [
      (client: Client) => client.figures.runs({ flow: 'typed' }),
      (client: Client) => client.figures.flow('typed'),
      (client: Client) => client.figures.flows(),
      (client: Client) => client.figures.days({ flow: 'typed' }),
      (client: Client) => client.figures.facets(),
      (client: Client) => client.figures.queues().then((queues) => queues.map(({ name, workers }) => [name, workers])),
      (client: Client) => client.figures.workers().then((workers) => workers.map(({ id, name, flows: known }) => ({ id, name, known }))),
      (client: Client) => client.figures.histogram({}, { fromAt: 1_700_000_000_000, untilAt: Date.now(), buckets: 3 }),
      (client: Client) => client.figures.overview().then(({ runs, completed, failed }) => ({ runs, completed, failed })),
    ])
      expect(await ask(http)).toEqual(await ask(local));
  });

  it('deployments: deployed, listed, paused, run, deleted', async () => {
    const spec = {
      flow: 'typed',
      name: 'typed-daily',
      params: { at: new Date(0) },
      schedules: [{ slug: 'daily', cron: '0 4 * * *', jitter: '1m' as const }],
    };
    const dry = await http.deployments.deploy([spec], { dryRun: true });
    expect([dry[0]?.outcome, (await local.deployments.list()).items]).toEqual(['created', []]);
    const [report] = await http.deployments.deploy([spec, { flow: 'small', name: 'small-one' }], { origin: 'config' });
    expect([report?.outcome, report?.deployment]).toEqual(['created', await local.deployments.get('typed-daily')]);
    expect((await http.deployments.deploy([spec], { origin: 'config' }))[0]?.outcome).toBe('unchanged');
    expect(await http.deployments.list({ search: 'dail' })).toEqual(await local.deployments.list({ search: 'dail' }));
    expect(await http.deployments.versions('typed-daily')).toEqual(await local.deployments.versions('typed-daily'));
    expect(await http.deployments.upcoming({ limit: 3 })).toEqual(await local.deployments.upcoming({ limit: 3 }));
    expect((await http.deployments.pause('typed-daily')).pausedAt).not.toBeNull();
    expect((await http.deployments.resume('typed-daily')).pausedAt).toBeNull();
    expect((await http.deployments.pause('typed-daily', 'daily')).schedules[0]?.pausedAt).not.toBeNull();
    const handle = await http.deployments.run('typed-daily', { at: new Date(1) }, { name: 'by hand' });
    expect(await handle.result()).toEqual({ at: new Date(1), sizes: null });
    expect((await handle.get()).deployment).toBe('typed-daily');
    const [gone] = (
      await http.deployments.deploy([{ flow: 'typed', name: 'typed-daily', params: { at: new Date(0) } }], {
        origin: 'config',
        prune: true,
      })
    ).filter(({ outcome }) => outcome === 'deleted');
    expect(gone?.deployment.name).toBe('small-one');
    await http.deployments.delete('typed-daily');
    expect(await refusalOf(http.deployments.get('typed-daily'))).toEqual(await refusalOf(local.deployments.get('typed-daily')));
  });

  it('limits and backfills, and why a run waits', async () => {
    expect(await http.limits.set('tag:db', 2)).toEqual((await local.limits.list())[0]);
    expect(await http.limits.list()).toEqual(await local.limits.list());
    await http.limits.delete('tag:db');
    expect(await refusalOf(http.limits.delete('tag:db'))).toEqual(await refusalOf(local.limits.delete('tag:db')));
    const waits = await http.enqueue('small', {}, { queue: 'nobody-serves' });
    expect(await http.runs.why(waits.id)).toEqual(await local.runs.why(waits.id));
    expect((await http.runs.why(waits.id))?.kind).toBe('no-worker');
    await http.deployments.deploy([
      { flow: 'small', name: 'filled', queue: 'nobody-serves', schedules: [{ slug: 'daily', cron: '@daily' }] },
    ]);
    const spec = { deployment: 'filled', fromAt: Date.UTC(2026, 0, 1), untilAt: Date.UTC(2026, 0, 4) };
    expect(await http.backfills.preview(spec)).toEqual(await local.backfills.preview(spec));
    const started = await http.backfills.start(spec);
    expect([started.total, started.fromAt]).toEqual([3, spec.fromAt]);
    expect((await http.backfills.list({ deployment: 'filled' })).items.map(({ id }) => id)).toEqual([started.id]);
    await http.backfills.cancel(started.id);
    expect(await http.backfills.get(started.id)).toEqual(await local.backfills.get(started.id));
    expect(await refusalOf(http.backfills.get('nothing'))).toEqual(await refusalOf(local.backfills.get('nothing')));
  });

  it('keys: made, shown, refused by role, revoked; and who did what', async () => {
    const admin = await http.keys.create({ name: 'boss', role: 'admin' });
    expect(await refusalOf(http.runs.list())).toMatchObject(['UNAUTHENTICATED', expect.stringContaining('BATUTA_API_KEY')]);
    const boss = openHttpClient({ apiUrl: server.url, apiKey: admin.key });
    const { key } = await boss.keys.create({ name: 'looker', role: 'viewer', expiresAt: Date.now() + 60_000 });
    const looker = openHttpClient({ apiUrl: server.url, apiKey: key });
    expect((await looker.runs.list({ limit: 1 })).items).toHaveLength(1);
    expect(await refusalOf(looker.enqueue('small'))).toMatchObject(['FORBIDDEN', expect.stringContaining('BATUTA_API_KEY')]);
    expect((await boss.keys.list()).map(({ name }) => name)).toEqual((await local.keys.list()).map(({ name }) => name));
    const watching = looker.runs.watch((await boss.enqueue('asks')).id)[Symbol.asyncIterator]();
    await watching.next();
    const [viewer] = (await boss.keys.list()).filter(({ name }) => name === 'looker');
    await boss.keys.revoke(viewer?.id ?? '');
    expect(await refusalOf(looker.runs.list())).toMatchObject(['UNAUTHENTICATED', expect.stringContaining('revoked or expired')]);
    const { items } = await boss.audit.list({ limit: 3 });
    expect(items).toEqual((await local.audit.list({ limit: 3 })).items);
    expect(items.map(({ action }) => action)).toContain('keys.revoke');
    await looker.close();
    await boss.keys.revoke(admin.entry.id);
    await boss.close();
    expect(await refusalOf(watching.next())).toMatchObject([expect.stringMatching(/SHUTDOWN|UNAUTHENTICATED/), expect.any(String)]);
  });
});
