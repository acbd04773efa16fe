/** Which triggers an event or an end concerns, and what they take from it, before anything is decided. */
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { matchEnds, matchEvents, wishOf } from '../../scheduler/match-triggers.ts';
import { BatutaError } from '../../src/base/errors.ts';
import type { Run } from '../../src/model/run.ts';
import { stateOf } from '../../src/model/state.ts';
import { maxGivenBytes, type TriggerRule, type TriggerSource } from '../../src/model/triggers/trigger.ts';
import { decodeValue, encodeValue } from '../../src/model/values.ts';
import type { ActiveTrigger, PendingEvent, RunEnd } from '../../src/store/store.ts';

const event = (name: string): TriggerSource => ({ kind: 'event', name });
const end = (name: string, of: 'deployment' | 'flow' = 'deployment', kind: 'completed' | 'failed' = 'completed'): TriggerSource => ({
  ...{ kind, of, name },
});

function trigger(id: string, sources: readonly TriggerSource[], rule: Partial<TriggerRule> = {}, changes: Partial<ActiveTrigger> = {}) {
  const whole = { sources, where: {}, tags: [], params: {}, withinMs: null, debounce: null, by: null, backfills: false, ...rule };
  return { id, deployment: 'own', slug: id, rule: whole, createdAt: 0, deploymentVersion: 1, fromEvent: 0, fromEnd: 0, ...changes };
}

const emitted = (seq: number, name: string, payload: unknown = null, changes: Partial<PendingEvent> = {}): PendingEvent => ({
  ...{ seq, id: `event-${seq}`, name, payload: encodeValue(payload, 'payload'), source: 'webhook:w', at: 10, receivedAt: 20 },
  ...{ callerRunId: null, traceparent: null },
  ...changes,
});
const ended = (runId: string, changes: Partial<RunEnd> = {}): RunEnd => ({
  ...{ seq: 5, at: 10, runId, runName: 'quick', flow: 'extract', deployment: 'extract', tags: ['eu', 'x'], attempt: 1 },
  ...{ state: stateOf('COMPLETED'), backfillId: null },
  ...changes,
});
const runNamed = (id: string, changes: Partial<Run> = {}): Run =>
  ({
    ...{ id, name: 'quick', flow: 'extract', deployment: 'extract', tags: ['eu'], params: '{"json":{"city":"Lima"}}' },
    ...{ result: '{"json":{"rows":7}}', resultRef: null, parentRunId: null },
    ...changes,
  }) as Run;

/** Whatever is needed of a store with these runs; notes which are read. */
function servicesWith(runs: readonly Run[] = [], storage: (ref: string) => Promise<string> = () => Promise.reject(new Error('gone'))) {
  const read: string[] = [];
  const store = { runs: { get: async (id: string) => (read.push(id), runs.find((run) => run.id === id) ?? null) } };
  const results = { get: storage, placeOf: () => ({ name: 'here' }) };
  return { read, services: { store, results, log: pino({ level: 'silent' }) } as unknown as Parameters<typeof matchEvents>[0] };
}
const events = async (triggers: readonly ActiveTrigger[], of: readonly PendingEvent[], maxChars = 1_000_000, runs: readonly Run[] = []) =>
  await matchEvents(servicesWith(runs).services, triggers, of, maxChars);
const which = (causes: readonly { readonly triggerId: string; readonly source: number }[]) =>
  causes.map(({ triggerId, source }) => `${triggerId} ${source}`);

test('of ends only those are read that some trigger names', () => {
  const named = [trigger('a', [event('e'), end('x'), end('x'), end('f', 'flow')]), trigger('b', [end('y', 'deployment', 'failed')])];
  expect(wishOf(named)).toEqual({ deployments: ['x', 'y'], flows: ['f'], all: false });
  expect(wishOf([...named, trigger('c', [end('*', 'flow')])])).toEqual({ deployments: ['x', 'y'], flows: ['f'], all: true });
  expect(wishOf([trigger('a', [event('*')])])).toEqual({ deployments: [], flows: [], all: false });
});

describe('an event', () => {
  test('concerns the triggers that name it, or a beginning of its name, each by the first source that does', async () => {
    const triggers = [
      trigger('exact', [event('other'), event('order.new')]),
      trigger('open', [event('order.*')]),
      trigger('both', [event('order.*'), event('order.new'), event('*')]),
      trigger('twice', [event('order.new'), event('order.new')]),
      trigger('ends', [end('order.new')]),
      trigger('other', [event('order')]),
    ];
    const { causes, taken } = await events(triggers, [emitted(1, 'order.new'), emitted(2, 'unknown')]);
    expect([which(causes), taken]).toEqual([['exact 1', 'both 1', 'twice 0', 'open 0', 'both 2'], 2]);
  });

  test('that was there before its trigger concerns it not', async () => {
    const triggers = [trigger('a', [event('e')], {}, { fromEvent: 2 })];
    expect((await events(triggers, [emitted(1, 'e'), emitted(2, 'e'), emitted(3, 'e')])).causes.map(({ eventSeq }) => eventSeq)).toEqual([
      3,
    ]);
  });

  test('hands on what is mapped from it, and says where it came from', async () => {
    const params = { id: 'event.id', name: 'event.name', from: 'event.source', at: 'event.at', sku: 'payload.sku', none: 'payload.none' };
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const one = emitted(4, 'e', { sku: 's1', by: 'acme' }, { traceparent, callerRunId: 'somebody' });
    const { causes } = await events([trigger('a', [event('e')], { params, by: 'payload.by' })], [one]);
    expect(causes).toMatchObject([
      {
        ...{ triggerId: 'a', cause: 'event:event-4', eventSeq: 4, source: 0, group: 'acme', label: 'event:e', subject: 'event-4' },
        ...{ at: 10, seenAt: 20, hops: 0, callerRunId: 'somebody', traceparent, fault: null },
      },
    ]);
    expect(decodeValue(causes[0]?.given ?? null)).toEqual({
      ...{ id: 'event-4', name: 'e', from: 'webhook:w', at: '1970-01-01T00:00:00.010Z', sku: 's1' },
    });
    expect((await events([trigger('a', [event('e')], { params: { none: 'payload.none' } })], [one])).causes).toMatchObject([
      { given: null, fault: null },
    ]);
  });

  test('whose payload is damaged is a fault of those that look into it, and of no other', async () => {
    const triggers = [
      trigger('looks', [event('e')], { by: 'payload.by' }),
      trigger('filters', [event('e')], { where: { 'payload.kind': ['x'] } }),
      trigger('maps', [event('e')], { params: { id: 'event.id', of: 'payload.id' } }),
      trigger('does not', [event('e')], { params: { id: 'event.id' } }),
    ];
    const { causes } = await events(triggers, [emitted(1, 'e', null, { payload: '{"json":' })]);
    const unread = { group: '', given: null, fault: expect.stringContaining('The payload of event event-1 cannot be read') as string };
    expect(causes).toMatchObject([unread, unread, unread, { fault: null }]);
  });

  test('that would hand on too much is a fault; just as much as may be is handed on', async () => {
    const mapping = trigger('a', [event('e')], { params: { text: 'payload' } });
    const givenOf = async (chars: number) => (await events([mapping], [emitted(1, 'e', 'x'.repeat(chars))])).causes[0];
    const room = maxGivenBytes - ((await givenOf(1))?.given?.length ?? 0) + 1;
    expect(await givenOf(room)).toMatchObject({ fault: null });
    const fault = `What trigger a maps has ${maxGivenBytes + 1} bytes; at most ${maxGivenBytes} are handed on.`;
    expect(await givenOf(room + 1)).toMatchObject({ given: null, fault });
  });

  test('whose values cannot be told apart is a fault, and holds up no other', async () => {
    const payload = '{"json":{"self":null},"meta":{"referentialEqualities":[["self"]],"v":1}}';
    const { causes } = await events(
      [trigger('a', [event('e')], { by: 'payload' }), trigger('b', [event('e')])],
      [emitted(1, 'e', null, { payload })],
    );
    expect(causes).toMatchObject([{ group: '', given: null, fault: expect.stringContaining('circular') as string }, { fault: null }]);
  });

  test('that concerns nobody has nothing read for it', async () => {
    const { services, read } = servicesWith();
    const callerRunId = '00000000-0000-7000-8000-000000000001';
    await matchEvents(services, [trigger('a', [event('other')])], [emitted(1, 'e', null, { callerRunId })], 1);
    expect(read).toEqual([]);
  });

  test('that a filter leaves out concerns nobody', async () => {
    const triggers = [trigger('a', [event('e')], { where: { 'payload.kind': ['x'] } })];
    expect(
      (await events(triggers, [emitted(1, 'e', { kind: 'y' }), emitted(2, 'e', { kind: 'x' })])).causes.map(({ eventSeq }) => eventSeq),
    ).toEqual([2]);
  });

  test('is the last that is examined once more is handed on than may be', async () => {
    const triggers = [trigger('a', [event('e')], { params: { text: 'payload' } })];
    const five = [1, 2, 3, 4, 5].map((seq) => emitted(seq, seq === 2 ? 'other' : 'e', 'x'.repeat(100)));
    const { causes } = await events(triggers, five);
    const chars = causes[0]?.given?.length ?? 0;
    const takenOf = async (maxChars: number) => (await events(triggers, five, maxChars)).taken;
    expect([await takenOf(1), await takenOf(chars), await takenOf(2 * chars), await takenOf(3 * chars)]).toEqual([1, 3, 4, 5]);
  });

  test('of a chain of runs counts as long as that', async () => {
    const id = '00000000-0000-7000-8000-000000000001';
    const caller = runNamed(id, { params: '{"json":1,"submitted":{"trigger":{"hops":3}}}' });
    expect((await events([trigger('a', [event('e')])], [emitted(1, 'e', null, { callerRunId: id })], 100, [caller])).causes).toMatchObject([
      { hops: 3 },
    ]);
  });
});

describe('the end of a run', () => {
  const ends = async (
    triggers: readonly ActiveTrigger[],
    of: readonly RunEnd[],
    runs = of.map(({ runId }) => runNamed(runId)),
    maxChars = 1_000,
  ) => {
    const { services, read } = servicesWith(runs);
    return { ...(await matchEnds(services, triggers, of, maxChars)), read };
  };

  test('concerns the triggers that name it, by the first source that does; no run is read for the others', async () => {
    const triggers = [
      trigger('first', [event('e'), end('other'), end('extract'), end('extract', 'flow')]),
      trigger('failed', [end('extract', 'deployment', 'failed')]),
      trigger('events', [event('extract')]),
    ];
    const { causes, read, taken } = await ends(triggers, [ended('r1'), ended('r2', { deployment: 'x', flow: 'y' })]);
    expect([which(causes), read, taken]).toEqual([['first 2'], ['r1', 'r1'].slice(0, read.length), 2]);
    expect(read).not.toContain('r2');
  });

  test('that was there before its trigger, is of a backfill, or lacks a tag, concerns it not', async () => {
    const triggers = [
      trigger('late', [end('extract')], {}, { fromEnd: 5 }),
      trigger('in time', [end('extract')], {}, { fromEnd: 4 }),
      trigger('tags', [end('extract')], { tags: ['x', 'eu'] }),
      trigger('other tag', [end('extract')], { tags: ['eu', 'us'] }),
      trigger('backfills', [end('extract')], { backfills: true }),
    ];
    expect(which((await ends(triggers, [ended('r1')])).causes)).toEqual(['in time 0', 'tags 0', 'backfills 0']);
    expect(which((await ends(triggers, [ended('r1', { backfillId: 'b' })])).causes)).toEqual(['backfills 0']);
  });

  test('of a run that has been deleted since concerns nobody, and the next one is examined', async () => {
    const { causes, taken } = await ends([trigger('a', [end('extract')])], [ended('gone'), ended('r2')], [runNamed('r2')]);
    expect([causes.map(({ subject }) => subject), taken]).toEqual([['r2'], 2]);
  });

  test('hands on what is mapped from it, and says where it came from', async () => {
    const params = {
      ...{ id: 'run.id', name: 'run.name', flow: 'run.flow', deployment: 'run.deployment', tags: 'run.tags', state: 'run.state' },
      ...{ attempt: 'run.attempt', city: 'params.city', rows: 'result.rows' },
    };
    const { causes } = await ends([trigger('a', [end('extract')], { params })], [ended('r1', { attempt: 2 })]);
    expect(causes).toMatchObject([
      { cause: 'run:r1:5', eventSeq: null, label: 'completed:extract', subject: 'r1', at: 10, seenAt: 10, callerRunId: 'r1', fault: null },
    ]);
    expect(causes[0]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(decodeValue(causes[0]?.given ?? null)).toEqual({
      ...{ id: 'r1', name: 'quick', flow: 'extract', deployment: 'extract', tags: ['eu'], state: 'Completed', attempt: 2 },
      ...{ city: 'Lima', rows: 7 },
    });
  });

  test('continues the trace that its run was submitted with', async () => {
    const submitted = runNamed('r1', {
      params: '{"json":1,"submitted":{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}}',
    });
    const { causes } = await ends([trigger('a', [end('extract')])], [ended('r1')], [submitted]);
    expect(causes[0]?.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-.*-00$/);
  });

  test('whose parameters or result cannot be had is a fault of those that want them, and of no other', async () => {
    const bad = runNamed('r1', { params: '{"json":', resultRef: 'r1/result' });
    const wants = (path: string) => trigger(path, [end('extract')], { params: { it: path } });
    const { causes } = await ends([wants('params.a'), wants('result.a'), wants('run.id')], [ended('r1')], [bad]);
    expect(causes.map(({ fault }) => fault)).toEqual([expect.any(String), 'gone', null]);
    const asked: string[] = [];
    const away = async (ref: string): Promise<string> => {
      asked.push(ref);
      throw new BatutaError('STORE_UNAVAILABLE', 'away');
    };
    const { causes: alone } = await matchEnds(servicesWith([bad], away).services, [wants('run.id')], [ended('r1')], 1_000);
    expect([alone.map(({ fault }) => fault), asked]).toEqual([[null], []]);
  });

  test('whose result is too large to map is a fault, and is not read; one of just that size is', async () => {
    const limit = 4 * 1024 * 1024;
    const large = (bytes: number) => runNamed('r1', { result: null, resultRef: `r1/result#${bytes}-${'0'.repeat(64)}` });
    const read: string[] = [];
    const causesOf = async (run: Run) =>
      (
        await matchEnds(
          servicesWith([run], async (ref) => (read.push(ref), '{"json":{"rows":9}}')).services,
          [trigger('a', [end('extract')], { params: { rows: 'result.rows' } })],
          [ended('r1')],
          1_000,
        )
      ).causes;
    expect(await causesOf(large(limit + 1))).toMatchObject([
      { fault: `The result of run r1 has ${limit + 1} bytes; of one larger than ${limit} nothing is mapped.` },
    ]);
    expect(read).toEqual([]);
    expect(decodeValue((await causesOf(large(limit)))[0]?.given ?? null)).toEqual({ rows: 9 });
  });

  test('is left for later while the database is away; other troubles of its result are a fault', async () => {
    const fails = (error: unknown) =>
      matchEnds(
        servicesWith([runNamed('r1', { resultRef: 'r1/result' })], () => Promise.reject(error)).services,
        [trigger('a', [end('extract')], { params: { rows: 'result.rows' } })],
        [ended('r1')],
        1_000,
      );
    await expect(fails(new BatutaError('STORE_UNAVAILABLE', 'away'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await fails(new BatutaError('RESULT_MISSING', 'It is gone.'))).causes).toMatchObject([{ fault: 'It is gone.' }]);
    expect((await fails('a text')).causes).toMatchObject([{ fault: 'a text' }]);
  });

  test('is the last that is examined once more is handed on than may be', async () => {
    const triggers = [trigger('a', [end('extract')], { params: { rows: 'result.rows' } })];
    const four = ['r1', 'r2', 'r3', 'r4'].map((id) => ended(id));
    const chars = (await ends(triggers, four)).causes[0]?.given?.length ?? 0;
    const takenOf = async (maxChars: number) => (await ends(triggers, four, undefined, maxChars)).taken;
    expect([await takenOf(1), await takenOf(chars), await takenOf(2 * chars - 1), await takenOf(4 * chars)]).toEqual([1, 2, 2, 4]);
  });
});
