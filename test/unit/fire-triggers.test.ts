/** What one pass over triggers reads, when it decides, and when the next one follows; the answers of the store are given by hand. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { fireTriggers } from '../../scheduler/fire-triggers.ts';
import { stateOf } from '../../src/model/state.ts';
import type { TriggerFiring, TriggerSource } from '../../src/model/triggers/trigger.ts';
import type { ActiveTrigger, DueFiring, EndPage, PendingEvent, RunEnd, TriggerReport, TriggerStep } from '../../src/store/store.ts';

const trigger = (source: TriggerSource, params: Readonly<Record<string, string>> = {}): ActiveTrigger => ({
  ...{ id: 't', deployment: 'own', slug: 't', createdAt: 0, deploymentVersion: 1, fromEvent: 0, fromEnd: 0 },
  rule: { sources: [source], where: {}, tags: [], params, withinMs: null, debounce: null, by: null, backfills: false },
});
const onEvent = trigger({ kind: 'event', name: 'e' }, { text: 'payload' });
const onEnd = trigger({ kind: 'completed', of: 'flow', name: 'extract' }, { text: 'params' });
const eventOf = (seq: number): PendingEvent => ({
  ...{ seq, id: `event-${seq}`, name: 'e', payload: `{"json":"${'x'.repeat(100)}"}`, source: null, at: 1, receivedAt: 1 },
  ...{ callerRunId: null, traceparent: null },
});
const endOf = (seq: number): RunEnd => ({
  ...{ seq, at: 1, runId: `run-${seq}`, runName: 'quick', flow: 'extract', deployment: null, tags: [], attempt: 1 },
  ...{ state: stateOf('COMPLETED'), backfillId: null },
});
const place = { settled: 1, readTo: 2, mark: 3, markNext: null, markAt: null };
const pageOf = (changes: Partial<EndPage> = {}): EndPage => ({ place, next: place, ends: [], hasMore: false, ...changes });
const empty: TriggerReport = { firings: [], waiting: [], hasMore: false };

interface Answers {
  readonly triggers?: readonly ActiveTrigger[];
  readonly pending?: { readonly events: readonly PendingEvent[]; readonly hasMore: boolean };
  readonly ends?: (changes: number) => EndPage;
  readonly nextDueAt?: number | null;
  readonly report?: TriggerReport | null;
}

async function fire({ triggers = [], pending, ends = () => pageOf(), nextDueAt = null, report = empty }: Answers, maxChars?: number) {
  const [asked, steps, lines]: [string[], TriggerStep[], string[]] = [[], [], []];
  const store = {
    runs: { get: async (id: string) => ({ id, params: `{"json":"${'x'.repeat(100)}"}`, resultRef: null, tags: [], parentRunId: null }) },
    triggers: {
      outlook: async () => ({ triggers: triggers.length, hasPending: pending !== undefined, nextDueAt, now: 50 }),
      active: async () => (asked.push('triggers'), triggers),
      pending: async (limit: number) => (asked.push(`events ${limit}`), pending),
      ends: async (reader: string, _: unknown, changes: number) => (asked.push(`ends ${reader} ${changes}`), ends(changes)),
      decide: async (step: TriggerStep, _: unknown, plan: (due: readonly DueFiring[]) => unknown) => {
        expect(plan([])).toEqual([]);
        steps.push(step);
        return report;
      },
    },
  };
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(String((JSON.parse(line) as { level: number }).level)) });
  const services = { store, results: {}, log, makeId: () => 'id', random: () => 0.5 } as unknown as Parameters<typeof fireTriggers>[0];
  return { fired: await (maxChars === undefined ? fireTriggers(services) : fireTriggers(services, maxChars)), asked, steps, lines };
}
const idle = { waiting: [], firings: [], again: false };

test('nothing is read while there is no trigger and no event', async () => {
  expect(await fire({})).toMatchObject({ fired: idle, asked: [], steps: [] });
  expect(await fire({ nextDueAt: 1 })).toMatchObject({ fired: idle, asked: [], steps: [] });
});

test('without a trigger events are decided all the same, so that they do not wait for one', async () => {
  const { fired, asked, steps } = await fire({ pending: { events: [eventOf(1), eventOf(2)], hasMore: false } });
  expect([fired, asked]).toMatchObject([idle, ['events 1000']]);
  expect(steps).toMatchObject([{ triggers: [], events: [1, 2], ends: null, causes: [], isCaughtUp: true, lookedAt: 50 }]);
});

test('without an event none is read, and ends only for triggers that name some', async () => {
  expect(await fire({ triggers: [onEvent] })).toMatchObject({ fired: idle, asked: ['triggers'], steps: [] });
  expect(await fire({ triggers: [onEnd] })).toMatchObject({ fired: idle, asked: ['triggers', 'ends triggers 5000'], steps: [] });
  const all = trigger({ kind: 'ended', of: 'deployment', name: '*' });
  expect((await fire({ triggers: [all] })).asked).toHaveLength(2);
  const named = trigger({ kind: 'ended', of: 'deployment', name: 'extract' });
  expect((await fire({ triggers: [named] })).asked).toHaveLength(2);
});

test('what an event and an end give is decided on at once', async () => {
  const events = { events: [eventOf(1)], hasMore: false };
  const { steps } = await fire({ triggers: [onEvent, onEnd], pending: events, ends: () => pageOf({ ends: [endOf(4)] }) });
  expect(steps).toMatchObject([{ events: [1], causes: [{ subject: 'event-1' }, { subject: 'run-4' }], ends: { place, next: place } }]);
});

test.each([
  ['an end was read', { ends: [endOf(9)] }],
  ['its place has settled', { next: { ...place, settled: 2 } }],
  ['it has read on', { next: { ...place, readTo: 3 } }],
  ['its mark has moved', { next: { ...place, mark: null } }],
] as const)('a place is kept because %s', async (_, changes) => {
  const { steps } = await fire({ triggers: [onEnd], ends: () => pageOf(changes) });
  expect(steps).toHaveLength(1);
});

test('windows and debounces end once they are due and nothing older is left to be read, and not before', async () => {
  const ends = (hasMore: boolean) => () => pageOf({ hasMore });
  const decided = async (answers: Answers) => (await fire({ triggers: [onEnd], ...answers })).steps.length;
  expect([await decided({ nextDueAt: 50 }), await decided({ nextDueAt: 51 }), await decided({ nextDueAt: null })]).toEqual([1, 0, 0]);
  expect(await decided({ nextDueAt: 50, ends: ends(true) })).toBe(0);
  const page = { triggers: [onEnd], nextDueAt: 50, ends: ends(true), pending: { events: [eventOf(1)], hasMore: false } };
  expect((await fire(page)).steps).toMatchObject([{ isCaughtUp: false }]);
  expect((await fire({ ...page, ends: ends(false), pending: { events: [eventOf(1)], hasMore: true } })).steps).toMatchObject([
    { isCaughtUp: false },
  ]);
});

test('the next pass follows at once while there is more to read or to end, and after one that another was quicker than', async () => {
  const again = async (answers: Answers) => (await fire({ triggers: [onEvent], ...answers })).fired.again;
  const events = [eventOf(1)];
  expect(await again({ pending: { events, hasMore: false } })).toBe(false);
  expect(await again({ pending: { events, hasMore: true } })).toBe(true);
  expect(await again({ pending: { events, hasMore: false }, report: { ...empty, hasMore: true } })).toBe(true);
  expect(await again({ pending: { events, hasMore: false }, report: null })).toBe(true);
});

test('of events that hand on too much together the first are decided, and the rest with the next pass', async () => {
  const events = { events: [eventOf(1), eventOf(2), eventOf(3)], hasMore: false };
  const { fired, steps } = await fire({ triggers: [onEvent], pending: events, nextDueAt: 1 }, 150);
  expect(steps).toMatchObject([{ events: [1, 2], isCaughtUp: false }]);
  expect(fired.again).toBe(true);
});

test('of ends that do, a smaller page is read, down to one, which is decided whatever it hands on', async () => {
  const ends = (changes: number) => pageOf({ ends: Array.from({ length: Math.min(3, changes) }, (_, at) => endOf(at + 1)), hasMore: true });
  const { asked, steps } = await fire({ triggers: [onEnd], ends }, 10);
  expect(asked.slice(1)).toEqual([5_000, 625, 78, 9, 1].map((changes) => `ends triggers ${changes}`));
  expect(steps).toMatchObject([{ causes: [{ subject: 'run-1' }] }]);
});

test('what was decided is handed on and told: what has failed or was refused as an error', async () => {
  const firingOf = (outcome: TriggerFiring['outcome']): TriggerFiring => ({
    ...{ id: 'f', triggerId: 't', deployment: 'own', slug: 't', at: 1, outcome, cause: 'event:e', causeId: 'i', count: 1 },
    ...{ runId: outcome === 'started' ? 'run' : null, message: null },
  });
  const firings = (['started', 'expired', 'failed', 'refused'] as const).map(firingOf);
  const waiting = [{ id: 'run', epoch: 0, queue: 'default', priority: 0, dueAt: null }];
  const { fired, lines } = await fire({
    triggers: [onEvent],
    pending: { events: [eventOf(1)], hasMore: false },
    report: { firings, waiting, hasMore: false },
  });
  expect(fired).toMatchObject({ firings, waiting, again: false });
  expect(lines).toEqual(['20', '30', '50', '50']);
});
