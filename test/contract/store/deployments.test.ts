/** Deployments with their schedules and versions, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Deployment, DeploymentSchedule } from '../../../src/model/deployment.ts';
import { parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { DeploymentPut, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun, startedAt } from './rows.ts';

const hourMs = 3_600_000;
const hourly = parseSchedule({ cron: '0 * * * *' });
const daily = parseSchedule({ cron: '0 0 * * *' });
/** The first full hour after `startedAt`, which is one itself. */
const firstHour = startedAt + hourMs;

function schedule(deployment: string, slug: string, changes: Partial<DeploymentSchedule> = {}): DeploymentSchedule {
  return {
    id: makeId(),
    deployment,
    slug,
    schedule: hourly,
    params: null,
    jitterMs: 0,
    pausedAt: null,
    nextTickAt: firstHour,
    createdAt: startedAt,
    ...changes,
  };
}

function deploymentNamed(name: string, changes: Partial<Deployment> = {}): Deployment {
  return {
    id: makeId(),
    name,
    flow: 'daily-sales',
    flowVersion: 'v1',
    source: '/flows/sales.ts#DailySales',
    version: 1,
    description: 'Sums the day up.',
    params: '{"json":{"region":"eu"}}',
    tags: ['sales', 'eu'],
    queue: 'default',
    priority: 3,
    concurrency: { limit: 2, key: '{region}', onConflict: 'skip' },
    catchup: 'latest',
    catchupWindowMs: hourMs,
    overlap: 'allow',
    retentionMs: null,
    runName: null,
    pausedAt: null,
    origin: 'command',
    createdAt: startedAt,
    updatedAt: startedAt,
    ...changes,
  };
}

function put(name: string, changes: Partial<Deployment> = {}, schedules?: readonly DeploymentSchedule[]): DeploymentPut {
  const deployment = deploymentNamed(name, changes);
  return {
    deployment,
    schedules: schedules ?? [schedule(name, 'cron')],
    graph: { nodes: [{ name: 'load' }], edges: [] },
    spec: { queue: deployment.queue },
  };
}

describe.each(makers)('deployments on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());
  const slugsDue = async (): Promise<(string | number | null)[][]> =>
    (await store.deployments.due({ limit: 100 })).map(({ deployment, slug, nextTickAt }) => [deployment, slug, nextTickAt]);

  test('are read as they were put, schedules in the order of their slugs', async () => {
    const nightly = schedule('sales', 'nightly', { schedule: daily, params: '{"json":{"region":"us"}}', jitterMs: 500 });
    const evening = schedule('sales', 'evening', { pausedAt: startedAt });
    const given = put('sales', {}, [nightly, evening]);
    expect(await store.deployments.put([given])).toBe(true);
    expect(await store.deployments.get('sales')).toEqual({ ...given.deployment, schedules: [evening, nightly] });
    expect(await store.deployments.versions('sales')).toEqual([
      { deployment: 'sales', version: 1, flowVersion: 'v1', at: startedAt, graph: given.graph, spec: given.spec },
    ]);
    expect(await store.deployments.get('sale')).toBeNull();
  });

  test('put again keep their identity, their pause, and the next tick of schedules whose rule is the same', async () => {
    const first = put('sales', {}, [schedule('sales', 'same'), schedule('sales', 'changed'), schedule('sales', 'gone')]);
    await store.deployments.put([first]);
    await store.deployments.pause('sales', 'same', startedAt + 1);
    await store.deployments.pause('sales', null, startedAt + 2);
    const again = put('sales', { version: 2, queue: 'slow', createdAt: startedAt + 9, updatedAt: startedAt + 9 }, [
      schedule('sales', 'same', { nextTickAt: firstHour + hourMs, params: '{"json":{}}' }),
      schedule('sales', 'changed', { nextTickAt: firstHour + 2 * hourMs, schedule: daily }),
      schedule('sales', 'new', { nextTickAt: firstHour + 3 * hourMs }),
    ]);
    expect(await store.deployments.put([again])).toBe(true);
    const [same, changed] = first.schedules;
    const stored = await store.deployments.get('sales');
    expect(stored).toMatchObject({
      ...{ id: first.deployment.id, version: 2, queue: 'slow' },
      ...{ createdAt: startedAt, updatedAt: startedAt + 9, pausedAt: startedAt + 2 },
    });
    expect(stored?.schedules).toEqual([
      { ...changed, schedule: daily, nextTickAt: firstHour + 2 * hourMs },
      again.schedules[2],
      { ...same, params: '{"json":{}}', pausedAt: startedAt + 1 },
    ]);
    expect((await store.deployments.versions('sales')).map(({ version }) => version)).toEqual([2, 1]);
    expect(await store.deployments.presentVersions(['sales', 'nobody'])).toMatchObject([{ version: 2, spec: { queue: 'slow' } }]);
    expect(await slugsDue()).toEqual([]);
  });

  test('are put all or none when one was changed by someone else meanwhile', async () => {
    await store.deployments.put([put('a'), put('b')]);
    const other = await here.open();
    expect(await other.deployments.put([put('b', { version: 2, queue: 'theirs' })])).toBe(true);
    expect(await store.deployments.put([put('a', { version: 2 }), put('b', { version: 2, queue: 'ours' })])).toBe(false);
    expect(await store.deployments.put([put('a', { version: 2 })], [{ name: 'b', version: 1 }])).toBe(false);
    expect(await store.deployments.put([put('c', { version: 4 })])).toBe(false);
    expect(await store.deployments.put([put('a')])).toBe(false);
    expect((await store.deployments.list()).items.map(({ name, version, queue }) => [name, version, queue])).toEqual([
      ['a', 1, 'default'],
      ['b', 2, 'theirs'],
    ]);
    expect(await store.deployments.put([put('a', { version: 2 })], [{ name: 'b', version: 2 }])).toBe(true);
    expect(await store.deployments.names()).toEqual([{ name: 'a', version: 2 }]);
  });

  test('made by many at once are made once', async () => {
    const others = [store, await here.open(), await here.open()];
    const outcomes = await Promise.all(others.map((one) => one.deployments.put([put('a'), put('b')])));
    expect(outcomes.filter((done) => done)).toHaveLength(1);
  });

  test('a pause takes the schedules out of what is due, and a resume makes nothing up', async () => {
    const ahead = schedule('sales', 'cron', { nextTickAt: firstHour });
    await store.deployments.put([put('sales', {}, [ahead, schedule('sales', 'other', { nextTickAt: firstHour + hourMs })])]);
    expect(await store.deployments.pause('sales', null, startedAt)).toBe(true);
    expect(await store.deployments.pause('sales', null, startedAt + 5)).toBe(true);
    expect((await store.deployments.get('sales'))?.pausedAt).toBe(startedAt);
    expect(await slugsDue()).toEqual([]);
    expect(await store.deployments.resume('sales', null, firstHour + 5 * hourMs)).toBe(true);
    expect(await store.deployments.get('sales')).toMatchObject({ pausedAt: null });
    expect(await slugsDue()).toEqual([
      ['sales', 'cron', firstHour + 6 * hourMs],
      ['sales', 'other', firstHour + 6 * hourMs],
    ]);
    // Twice is the same as once: ticks that became due since are not forgotten.
    await store.deployments.resume('sales', null, firstHour + 8 * hourMs);
    expect((await slugsDue())[0]).toEqual(['sales', 'cron', firstHour + 6 * hourMs]);
  });

  test('a schedule is paused by itself, and stays so when its deployment is resumed', async () => {
    await store.deployments.put([put('sales', {}, [schedule('sales', 'a'), schedule('sales', 'b')])]);
    await store.deployments.pause('sales', 'a', startedAt);
    expect(await slugsDue()).toEqual([['sales', 'b', firstHour]]);
    await store.deployments.pause('sales', null, startedAt);
    await store.deployments.resume('sales', 'a', startedAt);
    await store.deployments.pause('sales', 'b', startedAt);
    expect(await slugsDue()).toEqual([]);
    await store.deployments.resume('sales', null, startedAt);
    expect(await slugsDue()).toEqual([['sales', 'a', firstHour]]);
    expect(await store.deployments.pause('sales', 'c', startedAt)).toBe(false);
    expect(await store.deployments.resume('sale', null, startedAt)).toBe(false);
    expect(await store.deployments.resume('sales', 'c', startedAt)).toBe(false);
  });

  test('deleted are gone with their schedules and versions, while their runs stay', async () => {
    const run = newRun({ deployment: 'sales' });
    await store.runs.insert(run);
    await store.deployments.put([put('sales')]);
    expect(await store.deployments.delete('sales')).toBe(true);
    expect(await store.deployments.delete('sales')).toBe(false);
    expect([await store.deployments.get('sales'), await slugsDue(), await store.deployments.versions('sales')]).toEqual([null, [], []]);
    expect(await store.runs.get(run.id)).toMatchObject({ deployment: 'sales' });
    expect(await store.deployments.put([put('sales')])).toBe(true);
  });

  test('are listed by name, page by page, by filters', async () => {
    const paused = put('c', { pausedAt: startedAt, tags: ['slow'] });
    await store.deployments.put([put('B_%', { flow: 'other' }), put('a', { origin: 'config' }), paused]);
    const namesOf = async (filter: Parameters<Store['deployments']['list']>[0]): Promise<string[]> =>
      (await store.deployments.list(filter)).items.map(({ name }) => name);
    expect(await namesOf({})).toEqual(['B_%', 'a', 'c']);
    expect(await namesOf({ flow: 'other' })).toEqual(['B_%']);
    expect(await namesOf({ tag: 'slow' })).toEqual(['c']);
    expect([await namesOf({ paused: true }), await namesOf({ paused: false })]).toEqual([['c'], ['B_%', 'a']]);
    expect([await namesOf({ search: 'b' }), await namesOf({ search: '_%' }), await namesOf({ search: '%a' })]).toEqual([
      ['B_%'],
      ['B_%'],
      [],
    ]);
    expect(await store.deployments.names('config')).toEqual([{ name: 'a', version: 1 }]);
    const first = await store.deployments.list({ limit: 2 });
    expect(await store.deployments.list({ limit: 2, cursor: first.next ?? '' })).toMatchObject({ items: [{ name: 'c' }], next: null });
    await expect(store.deployments.list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(store.deployments.list({ limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('what is due comes soonest first, page by page, all or of one', async () => {
    const ticks = [3, 1, 2].map((hours, at) => schedule('a', `s${at}`, { nextTickAt: firstHour + hours * hourMs }));
    await store.deployments.put([put('a', {}, [...ticks, schedule('a', 'ended', { nextTickAt: null })]), put('b')]);
    const [first, second] = await store.deployments.due({ limit: 2 });
    expect([first?.deployment, second?.slug]).toEqual(['b', 's1']);
    const rest = await store.deployments.due({ limit: 10, ...(second ? { after: second } : {}) });
    expect(rest.map(({ slug }) => slug)).toEqual(['s2', 's0']);
    expect((await store.deployments.due({ deployment: 'a', limit: 10 })).map(({ slug }) => slug)).toEqual(['s1', 's2', 's0']);
  });

  test('tell their newest run', async () => {
    const older = newRun({ deployment: 'a', createdAt: startedAt });
    const newer = newRun({ deployment: 'a', createdAt: startedAt + 1, state: stateOf('PENDING'), scheduledFor: startedAt });
    for (const run of [newer, older, newRun({ deployment: 'b' }), newRun()]) await store.runs.insert(run);
    const last = await store.deployments.lastRuns(['a', 'c']);
    expect([...last.keys()]).toEqual(['a']);
    expect(last.get('a')).toMatchObject({ id: newer.id, state: { type: 'PENDING' }, scheduledFor: startedAt });
  });

  test('ten thousand are put in one transaction', async () => {
    const puts = Array.from({ length: 10_000 }, (_, at) => put(`d${at}`));
    expect(await store.deployments.put(puts)).toBe(true);
    expect(await store.deployments.put(puts.map((one) => ({ ...one, deployment: { ...one.deployment, version: 2 } })))).toBe(true);
    expect(await store.deployments.due({ limit: 3 })).toHaveLength(3);
    expect((await store.deployments.names()).length).toBe(10_000);
  });
});
