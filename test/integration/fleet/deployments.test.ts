/** Deploying from code, over an embedded store and its broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openLog } from '../../../src/base/log.ts';
import type { DeploymentSpec } from '../../../src/client/deployments-client.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { processTicket } from '../../../worker/process-ticket.ts';

@Flow({
  name: 'daily-sales',
  tags: ['sales'],
  params: z.object({ region: z.string().transform((text) => text.toUpperCase()), days: z.number().default(1) }),
})
class DailySales {
  @Task()
  async load({ params }: TaskContext<{ region: string; days: number }>): Promise<string> {
    return `${params.region} of ${params.days} days`;
  }
}

@Flow()
class Caller {
  async run({ name }: { name: string }, ctx: FlowContext): Promise<string> {
    return ctx.runDeployment(name, { name: 'Bob' });
  }
}

let folder: string;
let client: Awaited<ReturnType<typeof openLocalClient>>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-deploy-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
});
afterEach(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

const nightly = { slug: 'nightly', cron: '0 0 * * *', timezone: 'Europe/Lisbon' };
const sales = (changes: Partial<DeploymentSpec> = {}): DeploymentSpec => ({
  flow: DailySales,
  params: { region: 'eu' },
  schedules: [nightly],
  ...changes,
});

test('deploying twice is the same as once', async () => {
  const [first] = await client.deployments.deploy([sales()]);
  expect(first).toMatchObject({
    outcome: 'created',
    changes: [],
    graph: null,
    deployment: { name: 'daily-sales', flow: 'daily-sales', version: 1, tags: ['sales'], origin: 'command', lastRun: null },
  });
  expect(first?.deployment.schedules).toMatchObject([{ slug: 'nightly', pausedAt: null, nextTickAt: expect.any(Number) }]);
  const [second] = await client.deployments.deploy([sales()]);
  expect(second).toMatchObject({ outcome: 'unchanged', changes: [], deployment: { version: 1, id: first?.deployment.id } });
  expect(await client.deployments.versions('daily-sales')).toHaveLength(1);
  expect(await client.flows.get('daily-sales')).toMatchObject({ name: 'daily-sales' });
});

test('a change is told in words, keeps what was paused by hand, and is a version of its own', async () => {
  const [first] = await client.deployments.deploy([sales()]);
  await client.deployments.pause('daily-sales');
  const changed = sales({
    queue: 'slow',
    params: { region: 'us' },
    schedules: [{ ...nightly, cron: '0 1 * * *' }, { interval: '1 hour' }],
  });
  const expected = [
    { what: 'queue', before: 'default', after: 'slow' },
    { what: 'parameter region', before: '"eu"', after: '"us"' },
    { what: 'schedule interval', before: null, after: 'every hour' },
    { what: 'schedule nightly', before: '0 0 * * *', after: '0 1 * * *' },
  ];
  const [dry] = await client.deployments.deploy([changed], { dryRun: true });
  expect(dry).toMatchObject({ outcome: 'changed', changes: expected, deployment: { queue: 'slow' } });
  expect(await client.deployments.get('daily-sales')).toMatchObject({ queue: 'default', version: 1 });
  const [done] = await client.deployments.deploy([changed]);
  expect(done).toMatchObject({ outcome: 'changed', changes: expected, deployment: { version: 2, pausedAt: expect.any(Number) } });
  const stored = await client.deployments.get('daily-sales');
  expect(stored.schedules.map(({ slug }) => slug)).toEqual(['interval', 'nightly']);
  expect(stored.schedules[1]?.id).toBe(first?.deployment.schedules[0]?.id);
  expect(stored.pausedAt).not.toBeNull();
  expect((await client.deployments.versions('daily-sales')).map(({ version }) => version)).toEqual([2, 1]);
});

test('parameters are validated at the deploy, those of each schedule laid over, and runs lay theirs over what was declared', async () => {
  await client.deployments.deploy([sales({ schedules: [{ ...nightly, params: { days: 7 } }] })]);
  const stored = await client.deployments.get('daily-sales');
  expect(JSON.parse(stored.params)).toEqual({ json: { region: 'EU', days: 1 } });
  expect(JSON.parse(stored.schedules[0]?.params ?? '')).toEqual({ json: { region: 'EU', days: 7 } });
  const { engine } = client;
  const parts = {
    engine,
    broker: await client.broker(),
    log: engine.services.log,
    flows: new Map([['daily-sales', definitionOf(DailySales)]]),
  };
  parts.broker.consume(['default', 'fast'], { concurrency: 2 }, (ticket) => processTicket(parts, ticket));
  const plain = await client.deployments.run('daily-sales');
  expect(await plain.result()).toBe('EU of 1 days');
  const other = await client.deployments.run('daily-sales', { days: 3 }, { queue: 'fast', tags: ['by-hand'], priority: 7 });
  expect(await other.result()).toBe('EU of 3 days');
  expect(await other.get()).toMatchObject({
    deployment: 'daily-sales',
    queue: 'fast',
    tags: ['sales', 'by-hand'],
    priority: 7,
    scheduleId: null,
  });
  expect((await client.deployments.get('daily-sales')).lastRun).toMatchObject({ id: other.id, state: { name: 'Completed' } });
  await expect(client.deployments.run('daily-sales', { days: 'many' })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
});

test('parameters may be left to the schedules, and are then asked for by a run by hand', async () => {
  const regions = ['eu', 'us'].map((region) => ({ slug: region, cron: '@daily', params: { region } }));
  await client.deployments.deploy([{ flow: DailySales, schedules: regions }]);
  await expect(client.deployments.run('daily-sales')).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  expect(await (await client.deployments.run('daily-sales', { region: 'cn' })).get()).toMatchObject({ deployment: 'daily-sales' });
});

test.each<[string, Record<string, unknown>, string, string]>([
  ['an unknown flow', { flow: 'helo' }, 'FLOW_NOT_FOUND', "'hello'"],
  ['parameters that do not fit', { params: { region: 7 } }, 'PARAMS_INVALID', 'region'],
  ['parameters of a schedule that do not fit', { schedules: [{ ...nightly, params: { days: 'x' } }] }, 'PARAMS_INVALID', 'days'],
  ['a name that is none', { name: 'a b' }, 'NAME_INVALID', '"a b"'],
  ['a wrong cron', { schedules: [{ cron: '0 25 * * *' }] }, 'SCHEDULE_INVALID', 'Field 2 (hour)'],
  ['two kinds of schedule at once', { schedules: [{ cron: '@daily', interval: '1h' }] }, 'SCHEDULE_INVALID', 'not cron and interval'],
  ['an interval that is no text', { schedules: [{ interval: 3600 }] }, 'SCHEDULE_INVALID', 'interval of a schedule must be text'],
  ['two schedules of one slug', { schedules: [nightly, nightly] }, 'NAME_INVALID', "'nightly'"],
  ['a slug that is none', { schedules: [{ ...nightly, slug: '/' }] }, 'NAME_INVALID', "'/'"],
  ['an option that does not exist', { schedule: [nightly] }, 'OPTION_UNKNOWN', "Did you mean 'schedules'"],
  ['an option of a schedule that does not exist', { schedules: [{ ...nightly, timezon: 'UTC' }] }, 'OPTION_UNKNOWN', "'timezone'"],
  ['an overlap that does not exist', { overlap: 'skp' }, 'OPTION_INVALID', "'skip'"],
  ['a priority out of bounds', { priority: 101 }, 'OPTION_INVALID', '-100 to 100'],
  ['a queue that is no name', { queue: 'a queue' }, 'NAME_INVALID', "'a queue'"],
  ['a concurrency of 0', { concurrency: 0 }, 'OPTION_INVALID', 'concurrency'],
  ['a limit by a parameter that does not exist', { concurrency: { limit: 1, key: '{regin}' } }, 'OPTION_INVALID', "Did you mean 'region'"],
  ['a window that is no duration', { catchupWindow: 'long' }, 'DURATION_INVALID', 'catchupWindow'],
])('of many deployments none is made when one has %s', async (_what, wrong, code, part) => {
  const good = sales({ name: 'good' });
  await expect(client.deployments.deploy([good, sales(wrong as Partial<DeploymentSpec>)])).rejects.toMatchObject({
    code,
    message: expect.stringContaining(part),
  });
  expect((await client.deployments.list()).items).toEqual([]);
});

test('of many that are deployed together, the error names the one it is about', async () => {
  const wrong = sales({ name: 'sales-us', params: { region: 7 } });
  await expect(client.deployments.deploy([sales(), wrong])).rejects.toMatchObject({
    code: 'PARAMS_INVALID',
    message: expect.stringMatching(/^Deployment sales-us: .*region/),
  });
  await expect(client.deployments.deploy([sales(), sales({ name: 'b', overlap: 'x' as 'skip' })])).rejects.toMatchObject({
    message: expect.stringMatching(/^Deployment b: overlap cannot be/),
  });
  expect((await client.deployments.list()).items).toEqual([]);
});

test('two deployments of one name are refused', async () => {
  await expect(client.deployments.deploy([sales(), sales({ queue: 'slow' })])).rejects.toMatchObject({ code: 'NAME_INVALID' });
});

test('what the configuration no longer names is deleted when asked, and what commands made stays', async () => {
  await client.deployments.deploy([sales({ name: 'a' }), sales({ name: 'b' })], { origin: 'config' });
  await client.deployments.deploy([sales({ name: 'c' })]);
  const dry = await client.deployments.deploy([sales({ name: 'a' })], { origin: 'config', prune: true, dryRun: true });
  expect(dry.map(({ outcome, deployment }) => [deployment.name, outcome])).toEqual([
    ['a', 'unchanged'],
    ['b', 'deleted'],
  ]);
  expect((await client.deployments.list()).items).toHaveLength(3);
  await client.deployments.deploy([sales({ name: 'a' })], { origin: 'config', prune: true });
  expect((await client.deployments.list()).items.map(({ name }) => name)).toEqual(['a', 'c']);
});

test('upcoming ticks of all deployments come soonest first, and none of what is paused', async () => {
  await client.deployments.deploy([
    sales({ name: 'hours', schedules: [{ cron: '0 * * * *' }] }),
    sales({ name: 'minutes', schedules: [{ cron: '*/20 * * * *' }, { slug: 'half', cron: '30 * * * *', paused: true }] }),
    sales({ name: 'paused', schedules: [nightly], paused: true }),
  ]);
  const ticks = await client.deployments.upcoming({ limit: 8 });
  const sorted = [...ticks].sort((a, b) => a.at - b.at || (a.deployment < b.deployment ? -1 : 1));
  expect(ticks).toEqual(sorted);
  expect(ticks.filter(({ deployment }) => deployment === 'hours')).toHaveLength(2);
  expect(ticks.filter(({ deployment, schedule }) => deployment === 'minutes' && schedule === 'cron')).toHaveLength(6);
  expect(await client.deployments.upcoming({ deployment: 'paused' })).toEqual([]);
  expect(await client.deployments.upcoming({ deployment: 'hours', limit: 3 })).toHaveLength(3);
  const { upcoming, next } = await client.figures.overview();
  // One that ticks often hides no other there.
  expect(upcoming.map(({ deployment }) => deployment).sort()).toEqual(['hours', 'minutes']);
  expect(next).toEqual(ticks[0]);
  await expect(client.deployments.upcoming({ limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
});

test('what is not there is said to be so, naming the nearest', async () => {
  await client.deployments.deploy([sales()]);
  const unknown = { code: 'DEPLOYMENT_NOT_FOUND', message: expect.stringContaining("'daily-sales'") };
  await expect(client.deployments.get('daily-sale')).rejects.toMatchObject(unknown);
  await expect(client.deployments.run('daily-sale')).rejects.toMatchObject(unknown);
  await expect(client.deployments.delete('daily-sale')).rejects.toMatchObject(unknown);
  await expect(client.deployments.pause('daily-sales', 'nightl')).rejects.toMatchObject({
    code: 'DEPLOYMENT_NOT_FOUND',
    message: expect.stringContaining("'nightly'"),
  });
  await client.deployments.delete('daily-sales');
  expect((await client.deployments.list()).items).toEqual([]);
});

test('whoever listens hears of a change at once', async () => {
  const heard: string[] = [];
  await (await client.broker()).subscribe('deployments', (message) => heard.push(message));
  await client.deployments.deploy([sales()]);
  await expect.poll(() => heard).toEqual(['daily-sales']);
});

test('a code flow runs a deployment as part of itself, with its parameters, tags and name', async () => {
  const spec = { flow: 'hello', name: 'greet', params: { name: 'Ada' }, tags: ['greeting'], runName: 'greet-{name}' };
  await client.deployments.deploy([{ ...spec, concurrency: { limit: 2, key: '{name}' } }]);
  const handle = await client.submit(Caller, { name: 'greet' });
  expect(await handle.result()).toBe('Hello, Bob!');
  const { taskRuns, children } = await client.runs.inspect(handle.id);
  expect(taskRuns).toMatchObject([{ name: 'flow:greet', key: expect.stringMatching(/^deployment:greet#/), childRunId: children[0]?.id }]);
  expect(children).toMatchObject([{ deployment: 'greet', name: 'greet-Bob', tags: ['greeting'], concurrencyKey: 'deployment:greet:Bob' }]);
});

test('a code flow that runs an unknown deployment fails with a sentence that names the nearest', async () => {
  await client.deployments.deploy([{ flow: 'hello', name: 'greet' }]);
  const handle = await client.submit(Caller, { name: 'gret' });
  await expect(handle.result()).rejects.toMatchObject({
    code: 'RUN_FAILED',
    cause: { code: 'DEPLOYMENT_NOT_FOUND', message: expect.stringContaining("'greet'") },
  });
  const { run, taskRuns } = await client.runs.inspect(handle.id);
  expect([run.state.name, taskRuns]).toMatchObject(['Failed', [{ state: { name: 'Failed' }, childRunId: null }]]);
});
