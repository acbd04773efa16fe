import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import type { SpanRecord } from '../../../src/model/span.ts';
import { stateOf } from '../../../src/model/state.ts';
import { withSubmitted } from '../../../src/model/submitted.ts';
import { spanIdOf } from '../../../src/model/trace.ts';
import { Lifecycle } from '../../../src/observe/lifecycle.ts';
import { spansOfRow } from '../../../src/tracing/row-spans.ts';
import { RunSpans } from '../../../src/tracing/run-spans.ts';

function open() {
  const spans: SpanRecord[] = [];
  const now = Date.now() + 60_000;
  const clock: Clock = { ...systemClock, now: () => now };
  let made = 0;
  const runSpans = new RunSpans({
    sink: {
      addRow: (trace, row) => void spans.push(...spansOfRow(trace, row)),
      addSpan: (span) => void spans.push(span),
      close: async () => undefined,
    },
    sampling: (_traceId, parent) => parent?.isSampled ?? true,
    clock,
    makeSpanId: () => String(++made).padStart(16, 'a'),
    notes: { areThere: () => false, take: () => null },
    owner: 'here',
  });
  const lifecycle = new Lifecycle();
  runSpans.listen(lifecycle);
  const claim = (run: Run, taskRun: TaskRun | null = null): SpanRecord | undefined => {
    lifecycle.tell({ kind: 'claimed', run, taskRun });
    return spans.at(-1);
  };
  return { runSpans, claim, now };
}

const id = makeId();
const waiting = { id, flow: 'order', params: 'null', createdAt: 1_000, startedAt: null, resumedAt: null, dueAt: null, recoveries: 0 };
const firstClaim = { ...waiting, state: stateOf('PENDING') } as unknown as Run;

test('the ticket of a run that goes on is linked as a recovery only where its process was lost, or has left it', () => {
  const { claim } = open();
  const started = { ...firstClaim, startedAt: 2_000, resumedAt: 3_000, recoveries: 1 };
  const links = (['AwaitingRetry', 'Resuming'] as const).map((name) => claim({ ...started, state: stateOf('SCHEDULED', name) })?.links);
  expect(links).toEqual([[], [expect.objectContaining({ spanId: spanIdOf(id), attributes: { 'batuta.link': 'recovery' } })]]);
  expect(claim(firstClaim)?.links).toEqual([]);
});

test('the ticket of a spread task begins when its task run was made, or was due again', () => {
  const { claim, now } = open();
  const from = Date.now();
  const taskRun = { id: makeId(), name: 'far', startedAt: null, dueAt: null } as unknown as TaskRun;
  const first = claim(firstClaim, taskRun);
  expect(first?.startMs).toBeGreaterThanOrEqual(from);
  expect(first?.startMs).toBeLessThanOrEqual(Date.now());
  expect(first?.endMs).toBe(now);
  expect(claim(firstClaim, { ...taskRun, startedAt: 1, dueAt: 7_000 })?.startMs).toBe(7_000);
  expect(claim(firstClaim, { ...taskRun, startedAt: 1 })?.startMs).toBe(now);
  expect(claim(firstClaim, { ...taskRun, id: 'no UUID' })?.startMs).toBe(now);
});

test('a run that was submitted here is in the trace it is recorded with, though the same id is submitted again', () => {
  const { runSpans } = open();
  const [first, second] = [runSpans.submit(firstClaim, undefined), runSpans.submit(firstClaim, undefined)];
  for (const traceparent of [first, second]) {
    const recorded = { ...firstClaim, params: withSubmitted('null', { traceparent }) };
    expect(runSpans.traceOf(recorded)).toEqual({
      ...{ runId: id, flow: 'order', traceId: id.replaceAll('-', ''), parentSpanId: traceparent.split('-')[2] },
      ...{ owner: 'here', isSampled: true },
    });
  }
});
