/** What is done with the work of lost processes and with lost tickets, batch by batch, and what a failure in the middle leaves undone. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import type { Ticket } from '../../../src/broker/broker.ts';
import { backfillsChannel } from '../../../src/model/deployment.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import type { Owner } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Ticketed } from '../../../src/store/store.ts';
import { taskChannelOf } from '../../../src/upkeep/parts.ts';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { endRun, ownerNamed, startRun } from '../../contract/store/rows.ts';
import { type HandLoops, openHandLoops } from '../../support/hand-loops.ts';

const away = new BatutaError('STORE_UNAVAILABLE', 'The store is away.');
const ticket = (id: string, changes: Partial<Ticketed> = {}): Ticketed => ({
  ...{ id, epoch: 1, queue: 'default', priority: 0, dueAt: null },
  ...changes,
});
const tickets = (count: number, name = 'run'): Ticketed[] => Array.from({ length: count }, (_, at) => ticket(`${name}-${at}`));
const ends = (...ids: readonly string[]) => ids.map((id) => ({ id, runId: `run of ${id}`, message: `${id} has ended.` }));

let at: HandLoops;
/** Queue, kind and id of each ticket put. */
let put: string[];
beforeEach(async () => {
  at = await openHandLoops({ isOwnerGone: ({ id }) => id.startsWith('gone') });
  put = [];
  Object.assign(at.parts.broker, {
    put: async (given: Ticket | readonly Ticket[], { queue }: { readonly queue: string }) => {
      for (const { kind, id } of [given].flat()) put.push(`${queue} ${kind} ${id}`);
    },
  });
});
afterEach(() => at.close());

/** As if nobody counted anything. */
const unobserved = () => Object.defineProperty(at.engine.services.lifecycle, 'isObserved', { get: () => false });

describe('the work of lost processes', () => {
  interface Found {
    readonly waiting?: readonly Ticketed[];
    readonly ended?: ReturnType<typeof ends>;
    readonly crashed?: readonly Ticketed[];
  }
  /** What each look finds, or throws; nothing once that is used up. */
  let runs: (Found | Error)[];
  let tasks: (Found | Error)[];
  let asked: [kind: string, options: unknown][];
  let swept: number;
  beforeEach(() => {
    [runs, tasks, asked, swept] = [[], [], [], 0];
    const look = (kind: string, found: () => (Found | Error)[]) => async (options: unknown) => {
      asked.push([kind, options]);
      const next = found().shift() ?? {};
      if (next instanceof Error) throw next;
      return { waiting: [], ended: [], crashed: [], ...next };
    };
    Object.assign(at.store.fleet, { reclaim: look('runs', () => runs) });
    Object.assign(at.store.spread, { reclaim: look('tasks', () => tasks) });
    const { sweepSlots } = at.store.limits;
    Object.assign(at.store.limits, { sweepSlots: () => (swept++, sweepSlots()) });
  });
  const loop = () => reclaimLoop(at.parts, { intervalMs: 1_000, maxRecoveries: 3 });
  const looks = (): string => asked.map(([kind]) => kind).join(' ');

  test('is looked for a hundred at a time, of leases that are over and of processes known to be gone', async () => {
    const owners: Owner[] = ['gone-1', 'living', 'gone-2'].map(ownerNamed);
    const [gone1, , gone2] = owners;
    Object.assign(at.store.fleet, { owners: async () => owners });
    Object.assign(at.store.spread, { owners: async () => owners.slice(1) });
    await at.pass(loop());
    expect(asked).toEqual([
      ['runs', { limit: 100, maxRecoveries: 3, goneOwners: [gone1, gone2] }],
      ['tasks', { limit: 100, maxRecoveries: 3, goneOwners: [gone2] }],
    ]);
  });

  test.each([
    [
      'runs that wait again and runs that ended',
      () => (runs = [{ waiting: tickets(60), ended: ends(...tickets(40).map(({ id }) => id)) }]),
    ],
    ['spread tasks', () => (tasks = [{ waiting: tickets(60), ended: ends(...tickets(40).map(({ id }) => id)) }])],
  ])('a full batch of %s is followed by the next at once', async (_, set) => {
    set();
    await at.pass(loop());
    expect(looks()).toBe('runs tasks runs tasks');
  });

  test('a batch that is not full is not', async () => {
    [runs, tasks] = [[{ waiting: tickets(99) }], [{ waiting: tickets(98), ended: ends('task') }]];
    await at.pass(loop());
    expect(looks()).toBe('runs tasks');
  });

  test.each([
    ['runs', () => (runs = [{ waiting: [ticket('run')], ended: ends('other') }])],
    ['spread tasks', () => (tasks = [{ waiting: [ticket('task')], ended: ends('other') }])],
  ])('gives on the slots that lost %s held, and looks for none where nothing was lost', async (_, set) => {
    await at.pass(loop());
    expect(swept).toBe(0);
    set();
    await at.pass(loop());
    expect(swept).toBe(1);
  });

  test('gets its tickets: runs that wait and crashed ones whose hooks are to be called, and spread tasks in the queue of their kind', async () => {
    runs = [{ waiting: [ticket('run')], ended: ends('crash'), crashed: [ticket('crash', { queue: 'gpu' })] }];
    tasks = [{ waiting: [ticket('task')] }];
    await at.pass(loop());
    expect(put).toEqual(['default run run', 'gpu run crash', `${taskQueueOf('default')} task task`]);
  });

  test('that ends lets go what waits for it: runs of ticks, backfills, and the owner of a run whose spread task it was', async () => {
    const heard: string[] = [];
    const { release } = at.store.ticks;
    Object.assign(at.store.ticks, { release: async (...options: Parameters<typeof release>) => (heard.push(`release ${options}`), []) });
    const { broker } = at.parts;
    Object.assign(broker, { notify: async (channel: string, text: string) => void heard.push(`${channel} ${text}`) });
    [runs, tasks] = [[{ waiting: [ticket('run')] }], [{ waiting: [ticket('task')] }]];
    await at.pass(loop());
    expect(heard).toEqual([]);
    [runs, tasks] = [[{ ended: ends('crash') }], [{ ended: ends('one', 'two') }]];
    await at.pass(loop());
    expect(heard).toEqual(['release ', `${backfillsChannel} `, ...['one', 'two'].map((id) => `${taskChannelOf(`run of ${id}`)} ${id}`)]);
  });

  test('that ends takes its sub-flows with it; one whose sub-flows cannot be read is named', async () => {
    const parent = await startRun(at.store);
    const child = await startRun(at.store, { parentRunId: parent.runId });
    const grandchild = await startRun(at.store, { parentRunId: child.runId });
    const { children } = at.store.runs;
    Object.assign(at.store.runs, { children: (id: string) => (id === 'bad' ? Promise.reject(new Error('a bad row')) : children(id)) });
    runs = [{ ended: ends('bad', parent.runId) }];
    await at.pass(loop());
    for (const { runId } of [child, grandchild])
      expect((await at.store.runs.get(runId))?.state).toMatchObject({ type: 'CANCELLING', message: `${parent.runId} has ended.` });
    expect(at.logged).toContain('The sub-flows of a run that has ended cannot be cancelled.');
  });

  test('is counted; what ended is counted by its flow too, unless its run cannot be read', async () => {
    const claim = await startRun(at.store, { flow: 'nightly' });
    await endRun(at.store, claim, 'FAILED');
    const { get } = at.store.runs;
    Object.assign(at.store.runs, { get: (id: string) => (id === 'bad' ? Promise.reject(new Error('a bad row')) : get(id)) });
    await at.pass(loop());
    expect(at.told).toEqual([]);
    runs = [{ waiting: tickets(3), ended: ends('bad', 'deleted', claim.runId) }];
    tasks = [{ waiting: [ticket('task')], ended: ends('other') }];
    await at.pass(loop());
    expect(at.told).toMatchObject([
      { kind: 'reclaimed', work: 'run', waiting: 3, ended: 3 },
      { kind: 'ended', flow: 'nightly', state: stateOf('FAILED') },
      { kind: 'reclaimed', work: 'task', waiting: 1, ended: 1 },
    ]);
  });

  test('is not read once more for counts that nobody takes', async () => {
    unobserved();
    let reads = 0;
    Object.assign(at.store.runs, { get: async () => (reads++, null) });
    [runs, tasks] = [[{ ended: ends('crash') }], [{ ended: ends('task') }]];
    await at.pass(loop());
    expect([reads, at.told]).toEqual([0, []]);
  });

  test('is logged: why each has ended, and how much continues elsewhere', async () => {
    await at.pass(loop());
    expect(at.logged).toEqual([]);
    [runs, tasks] = [[{ ended: ends('run') }], [{ ended: ends('task') }]];
    await at.pass(loop());
    expect(at.logged).toEqual(['run has ended.', 'task has ended.']);
    [runs, tasks] = [[{ waiting: [ticket('run')] }], [{ waiting: [ticket('task')] }]];
    await at.pass(loop());
    expect(at.logged.slice(2)).toEqual([
      'Processes were lost; their runs continue elsewhere.',
      'Workers were lost; their spread tasks continue elsewhere.',
    ]);
  });

  test('of one kind that cannot be taken back holds up none of the other', async () => {
    [runs, tasks] = [[new Error('a bad row')], [{ waiting: [ticket('task')] }]];
    await at.pass(loop());
    expect([put, at.logged[0]]).toEqual([[`${taskQueueOf('default')} task task`], 'The work of lost processes could not be taken back.']);
  });

  test('is looked for again, all of it, once the database is back', async () => {
    [runs, tasks] = [[away, { waiting: [ticket('run')] }], [{ waiting: [ticket('task')] }]];
    const service = loop();
    await service.start();
    await at.rests();
    expect([looks(), put, at.logged]).toEqual(['runs', [], ['Could not look for the work of lost processes.']]);
    await at.fire(2_000);
    expect(put).toHaveLength(2);
    await service.stop();
  });
});

describe('lost tickets', () => {
  let found: Record<'hooks' | 'parked' | 'runs' | 'tasks', readonly Ticketed[][]>;
  let asked: [kind: string, options: unknown][];
  /** How long the queues of the broker are said to be. */
  let waiting: number;
  let measured: string[];
  beforeEach(() => {
    [found, asked, waiting, measured] = [{ hooks: [], parked: [], runs: [], tasks: [] }, [], 0, []];
    const looks = { hooks: 0, parked: 0, runs: 0, tasks: 0 };
    const look = (kind: keyof typeof looks) => async (options: unknown) => (asked.push([kind, options]), found[kind][looks[kind]++] ?? []);
    Object.assign(at.store.fleet, { hooksUnticketed: look('hooks'), dueUnticketed: look('runs') });
    Object.assign(at.store.spread, { dueUnticketed: look('tasks') });
    Object.assign(at.store.pins, { unparkVoid: look('parked') });
    Object.assign(at.parts.broker, { stats: async (queue: string) => (measured.push(queue), { waiting }) });
  });
  const loop = (options: { readonly lostAfterMs?: number } = {}) => reissueLoop(at.parts, { intervalMs: 5_000, ...options });
  const looks = (): string => asked.map(([kind]) => kind).join(' ');

  test.each([
    ['a lease where that is shorter', 4_000, {}, [4_000, 4_000]],
    ['10 s, or 5 s of a spread task', 60_000, {}, [10_000, 5_000]],
    ['what is asked for of a run', 60_000, { lostAfterMs: 0 }, [0, 5_000]],
  ])('count as lost after %s', async (_, lease, options, [runMs, taskMs]) => {
    Object.assign(at.engine.services.settings, { leaseMs: lease });
    await at.pass(loop(options));
    expect(asked).toEqual([
      ['hooks', { ticketedBeforeMs: runMs, limit: 1_000 }],
      ['parked', 1_000],
      ['runs', { ticketedBeforeMs: runMs, limit: 1_000 }],
      ['tasks', { ticketedBeforeMs: taskMs, limit: 1_000 }],
    ]);
  });

  test('are put again: of runs, of spread tasks, of hooks never called, and of what is parked for nothing', async () => {
    found = {
      hooks: [[ticket('hook')]],
      parked: [[ticket('parked')]],
      runs: [[ticket('run')]],
      tasks: [[ticket('task'), ticket('other')]],
    };
    await at.pass(loop());
    expect(put).toEqual([
      ...['hook', 'parked', 'run'].map((id) => `default run ${id}`),
      ...['task', 'other'].map((id) => `${taskQueueOf('default')} task ${id}`),
    ]);
    // What was parked had no ticket to lose.
    expect(at.told).toEqual([
      { kind: 'reissued', work: 'run', tickets: 1 },
      { kind: 'reissued', work: 'run', tickets: 1 },
      { kind: 'reissued', work: 'task', tickets: 2 },
    ]);
  });

  test('that cannot be put count for nothing', async () => {
    Object.assign(at.parts.broker, { put: () => Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'It is away.')) });
    found = { ...found, runs: [[ticket('run')]] };
    await at.pass(loop());
    expect([at.told, at.logged]).toEqual([[], ['Lost tickets could not be put again.']]);
  });

  test('are counted only where somebody counts, and only if there are any', async () => {
    await at.pass(loop());
    expect(at.told).toEqual([]);
    unobserved();
    found = { ...found, runs: [[], [ticket('run')]], tasks: [[], [ticket('task')]] };
    await at.pass(loop());
    expect([at.told, put.length]).toEqual([[], 2]);
  });

  test.each([
    ['at once where the queue is short', 1_000, 1_999, 'hooks parked runs tasks hooks parked runs tasks'],
    ['not where it is long: its runs wait for workers', 1_000, 2_000, 'hooks parked runs tasks'],
    ['not where the batch was not full', 999, 0, 'hooks parked runs tasks'],
  ])('of runs are looked for again %s', async (_, count, length, expected) => {
    waiting = length;
    found = { ...found, runs: [tickets(count)] };
    await at.pass(loop());
    expect([looks(), measured]).toEqual([expected, count === 1_000 ? ['default'] : []]);
  });

  test('of spread tasks are not looked for at once again, however many there are', async () => {
    found = { ...found, tasks: [tickets(1_000)] };
    await at.pass(loop());
    expect(looks()).toBe('hooks parked runs tasks');
  });

  test('are not looked for while the broker is away', async () => {
    Object.assign(at.parts.broker, { health: async () => ({ ok: false, latencyMs: null, problem: 'It is away.' }) });
    await at.pass(loop());
    expect(asked).toEqual([]);
  });

  test('of one kind that cannot be read hold up none of the other', async () => {
    Object.assign(at.store.pins, { unparkVoid: () => Promise.reject(new Error('a bad row')) });
    found = { ...found, tasks: [[ticket('task')]] };
    await at.pass(loop());
    expect([put, at.logged]).toEqual([[`${taskQueueOf('default')} task task`], ['Lost tickets of one kind could not be put again.']]);
  });
});
