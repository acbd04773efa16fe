/** What follows from firings of triggers, before anything is written. */
import { describe, expect, test } from 'vitest';
import { planFirings } from '../../scheduler/plan-firings.ts';
import { submittedOf } from '../../src/model/submitted.ts';
import { decodeValue, encodeValue } from '../../src/model/values.ts';
import { maxHops } from '../../src/model/triggers/trigger.ts';
import type { DueFiring, TriggerCause } from '../../src/store/store.ts';
import { deploymentNamed } from '../support/deployments.ts';

const cause = (source: number, changes: Partial<TriggerCause> = {}): TriggerCause => ({
  triggerId: 't',
  cause: `event:${source}`,
  eventSeq: source,
  source,
  group: '',
  label: `event:e${source}`,
  subject: `id-${source}`,
  at: 5,
  seenAt: 5,
  hops: 0,
  callerRunId: null,
  traceparent: null,
  given: null,
  fault: null,
  ...changes,
});

function plan(causes: readonly TriggerCause[], params: Readonly<Record<string, string>> = {}) {
  const rule = { sources: [], where: {}, tags: [], params, withinMs: null, debounce: null, by: null, backfills: false };
  const trigger = { id: 't', deployment: 'load', slug: 'both', rule, createdAt: 0, fromEvent: 0, fromEnd: 0, deploymentVersion: 1 };
  const deployment = deploymentNamed('load', { params: encodeValue({ table: 'sales', rows: 1 }, 'params') ?? '' });
  const due: DueFiring = { firingId: 'f', trigger, deployment, flowConcurrency: null, causes, count: causes.length, now: 7 };
  const [planned] = planFirings([due], { makeId: () => 'made', random: () => 0.5 });
  if (!planned) throw new Error('Nothing was planned.');
  return planned;
}

describe('a firing', () => {
  test('starts a run with the parameters of its deployment, and says what it was for', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const { outcome, run } = plan([cause(0), cause(1, { traceparent, callerRunId: 'caller' })]);
    expect(outcome).toBe('started');
    expect(decodeValue(run?.params ?? null)).toEqual({ table: 'sales', rows: 1 });
    expect(submittedOf({ params: run?.params ?? '' })).toEqual({
      traceparent,
      callerRunId: 'caller',
      trigger: { slug: 'both', firing: 'f', cause: 'event:e1', causeId: 'id-1', count: 2, hops: 1 },
    });
    expect(submittedOf({ params: plan([cause(0)]).run?.params ?? '' })).not.toHaveProperty('traceparent');
  });

  test('lays what is mapped over them, that of the first source last', () => {
    const given = (values: object) => encodeValue(values, 'given');
    const { run } = plan([cause(1, { given: given({ rows: 9, by: 'second' }) }), cause(0, { given: given({ rows: 3 }) })], {
      rows: 'payload.rows',
    });
    expect(decodeValue(run?.params ?? null)).toEqual({ table: 'sales', rows: 3, by: 'second' });
  });

  test('starts nothing where what one of its causes hands on could not be had, whichever that is', () => {
    for (const causes of [
      [cause(0, { fault: 'too large' }), cause(1)],
      [cause(0), cause(1, { fault: 'too large' })],
    ])
      expect(plan(causes)).toEqual({ outcome: 'failed', run: null, message: 'too large' });
    expect(plan([])).toMatchObject({ outcome: 'failed', run: null });
  });

  test('ends the chain that its longest cause has made too long, with a row that says so', () => {
    const longest = (hops: number) => plan([cause(0, { hops }), cause(1, { hops: 2 })]);
    expect(longest(maxHops - 1).outcome).toBe('started');
    expect(longest(maxHops)).toMatchObject({
      outcome: 'refused',
      run: { state: { type: 'CANCELLED', name: 'Skipped' }, dueAt: null, endedAt: 7 },
    });
  });
});
