/** Traces of a real fleet, over Redis and PostgreSQL, as a receiver of OTLP gets them. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attemptSpanIdOf, spanIdOf } from '../../src/model/trace.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let fleet: Fleet;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await fleet.stop();
  await receiver.stop();
});

const flows = resolve('test/e2e/trace-flows.ts');

async function tracedFleet(on: 'sqlite' | 'postgres and redis', env: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  fleet = await makeFleet({
    on,
    leaseMs: 2_000,
    env: { BATUTA_FLOWS: flows, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'shop', ...env },
  });
  return fleet;
}

/** Parents of a span by name, from the root to itself. */
function pathOf(spans: readonly ReceivedSpan[], name: string): string[] {
  const path: string[] = [];
  for (let span = spans.find((one) => one.name === name); span; span = spans.find(({ spanId }) => spanId === span?.parentSpanId))
    path.unshift(span.name);
  return path;
}

test('a run is one trace: submitted, carried by Redis, spread, in a thread, in a sub-flow, with what its code traces itself', async () => {
  await tracedFleet('postgres and redis', { BATUTA_TRACE_URL: 'https://tempo.example/trace/{traceId}' });
  const one = await fleet.start('worker', '--name', 'one');
  const two = await fleet.start('worker', '--name', 'two');
  const submitted = await fleet.run('runs', 'submit', 'traced-order', '--json');
  expect(submitted.status, submitted.err).toBe(0);
  const { id } = JSON.parse(submitted.out) as { readonly id: string };
  await expect.poll(async () => (await fleet.client.runs.get(id)).state.name).toBe('Completed');
  // They come from three processes, each in its own time.
  const asked = [
    ...['submit traced-order', 'ticket traced-order', 'run traced-order', 'own in body', 'task flaky', 'attempt 1 of flaky'],
    ...['attempt 2 of flaky', 'own retried', 'task far', 'ticket far', 'attempt 1 of far', 'own spread', 'resource ledger'],
    ...['task apart', 'attempt 1 of apart', 'own in thread', 'task flow:below', 'submit below', 'run below', 'task deep'],
    ...['attempt 1 of deep', 'own below'],
  ];
  await expect.poll(() => asked.filter((name) => !receiver.spans.some((span) => span.name === name))).toEqual([]);
  const { spans } = receiver;
  const traceId = spans.find(({ name }) => name === 'submit traced-order')?.traceId;
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(traceId).toBe(id.replaceAll('-', ''));
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  // Nothing hangs in the air.
  const known = new Set(spans.map(({ spanId }) => spanId));
  expect(spans.filter(({ parentSpanId }) => parentSpanId !== '' && !known.has(parentSpanId))).toEqual([]);
  const top = ['submit traced-order', 'run traced-order'];
  expect(pathOf(spans, 'ticket traced-order')).toEqual(['submit traced-order', 'ticket traced-order']);
  expect(pathOf(spans, 'own in body')).toEqual([...top, 'own in body']);
  expect(pathOf(spans, 'own retried')).toEqual([...top, 'task flaky', 'attempt 2 of flaky', 'own retried']);
  expect(pathOf(spans, 'own spread')).toEqual([...top, 'task far', 'attempt 1 of far', 'own spread']);
  expect(pathOf(spans, 'ticket far')).toEqual([...top, 'task far', 'ticket far']);
  expect(pathOf(spans, 'resource ledger')).toEqual([...top, 'task far', 'attempt 1 of far', 'resource ledger']);
  expect(pathOf(spans, 'own in thread')).toEqual([...top, 'task apart', 'attempt 1 of apart', 'own in thread']);
  expect(pathOf(spans, 'own below').slice(-6)).toEqual([
    ...['task flow:below', 'submit below', 'run below', 'task deep', 'attempt 1 of deep', 'own below'],
  ]);
  const first = spans.find(({ name }) => name === 'attempt 1 of flaky');
  const second = spans.find(({ name }) => name === 'attempt 2 of flaky');
  expect(first).toMatchObject({ status: 2, message: 'first try' });
  expect(second).toMatchObject({ status: 0, events: ['trying'] });
  // What code says of the span that it is in, is kept for when that is made.
  expect(second?.attributes).toMatchObject({ 'shop.try': 2, 'batuta.attempt': 2, 'batuta.flow': 'traced-order' });
  expect(spans.find(({ name }) => name === 'attempt 1 of apart')?.attributes).toMatchObject({ 'shop.size': 3 });
  expect(second?.links).toEqual([{ traceId, spanId: first?.spanId, attributes: { 'batuta.link': 'retry' } }]);
  expect(spans[0]?.resource).toMatchObject({ 'service.name': 'shop' });
  expect(receiver.requests.every(({ type }) => type === 'application/x-protobuf')).toBe(true);
  // What a task hands on by HTTP is the span in which it is.
  const shown = await fleet.run('runs', 'inspect', id);
  expect(shown.out).toContain(`https://tempo.example/trace/${traceId}`);
  const { result } = await fleet.client.runs.inspect(id);
  expect(result).toBe(`00-${traceId}-${spans.find(({ name }) => name === 'own retried')?.spanId}-01`);
  // Lines say where they belong.
  const line = [one, two].flatMap((member) => member.log().split('\n')).find((text) => text.includes('second try'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({ runId: id, traceId, spanId: second?.spanId });
});

test.each(['sqlite', 'postgres and redis'] as const)(
  'a run whose worker is killed on %s stays one trace: the attempt that was cut off is in it, and linked to',
  async (on) => {
    await tracedFleet(on);
    const gate = join(fleet.gate, '..', 'open');
    const first = await fleet.start('worker', '--name', 'first');
    await fleet.start('scheduler');
    const handle = await fleet.client.enqueue('cut-off', { gate });
    await expect
      .poll(async () =>
        (await fleet.client.engine.services.store.taskRuns.ofRun(handle.id)).map(({ name, state }) => `${name} ${state.name}`).sort(),
      )
      .toEqual(['before Completed', 'held Running']);
    await first.end('SIGKILL');
    writeFileSync(gate, '');
    await fleet.start('worker', '--name', 'second');
    expect((await handle.done()).state.name).toBe('Completed');
    const asked = ['run cut-off', 'task held', 'attempt 1 of held', 'attempt 2 of held'];
    await expect.poll(() => asked.filter((name) => !receiver.spans.some((span) => span.name === name))).toEqual([]);
    const spans = receiver.spans.filter(({ traceId }) => traceId === handle.id.replaceAll('-', ''));
    const held = (await fleet.client.engine.services.store.taskRuns.ofRun(handle.id)).find(({ name }) => name === 'held')?.id ?? '';
    const lost = spans.find(({ name }) => name === 'attempt 1 of held');
    expect(lost).toMatchObject({ spanId: attemptSpanIdOf(held, 1), parentSpanId: spanIdOf(held), status: 2 });
    expect(lost?.attributes['batuta.state']).toBe('Lost');
    expect(spans.find(({ name }) => name === 'attempt 2 of held')).toMatchObject({
      status: 0,
      links: [{ spanId: lost?.spanId, attributes: { 'batuta.link': 'recovery' } }],
    });
    expect(spans.find(({ name }) => name === 'run cut-off')).toMatchObject({ spanId: spanIdOf(handle.id), status: 0 });
    // Recorded by the first: its span came from there, or was lost with it, but never comes twice.
    expect(spans.filter(({ name }) => name === 'task held')).toHaveLength(1);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  },
);
