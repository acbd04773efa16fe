/** A program that has a tracer provider of its own: runs are traced by it, and what their code traces hangs below their attempts. */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { correlationHeaders, Flow, type FlowContext, Task } from 'batuta';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import { identifyProcess } from '../../../src/base/process-identity.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { attemptSpanIdOf, spanIdOf } from '../../../src/model/trace.ts';
import { openMetricExport } from '../../../src/tracing/open-tracing.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { makeProject } from '../../support/project-folder.ts';

const exporter = new InMemorySpanExporter();
const tracer = () => trace.getTracer('shop');

beforeAll(() => {
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
});

async function open(lines: string[] = []): Promise<LocalClient> {
  const folder = makeProject();
  const log = await openLog({ level: 'info', format: 'json', write: (text) => lines.push(text) });
  const client = await openLocalClient({ databaseUrl: `sqlite:${folder.path}/batuta.db`, log, captureConsole: false });
  onTestFinished(async () => {
    await client.close();
    folder.remove();
  });
  return client;
}

const named = (name: string): ReadableSpan | undefined => exporter.getFinishedSpans().find((span) => span.name === name);

test('the spans of a run have the ids that other processes know them by, below the span in which it was submitted', async () => {
  const lines: string[] = [];
  const client = await open(lines);
  @Flow()
  class Order {
    @Task() async pay(): Promise<string> {
      return tracer().startActiveSpan('card', async (span) => {
        await new Promise((resolve) => setImmediate(resolve));
        span.end();
        return correlationHeaders()['traceparent'] ?? '';
      });
    }
    async run(_params: unknown, ctx: FlowContext): Promise<string> {
      ctx.log.info('in the body');
      return await this.pay();
    }
  }
  const [handle, outer] = await tracer().startActiveSpan('request', async (span) => {
    const submitted = await client.submit(Order, {});
    span.end();
    return [submitted, span.spanContext()] as const;
  });
  const sent = await handle.result();
  const [row] = await client.engine.services.store.taskRuns.ofRun(handle.id);
  const id = row?.id ?? '';
  expect(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).toEqual(
    exporter.getFinishedSpans().map(() => outer.traceId),
  );
  expect(named('submit order')?.parentSpanContext?.spanId).toBe(outer.spanId);
  const run = named('run order');
  expect([run?.spanContext().spanId, run?.parentSpanContext?.spanId]).toEqual([
    spanIdOf(handle.id),
    named('submit order')?.spanContext().spanId,
  ]);
  const attempt = named('attempt 1 of pay');
  expect([attempt?.spanContext().spanId, attempt?.parentSpanContext?.spanId]).toEqual([attemptSpanIdOf(id, 1), spanIdOf(id)]);
  expect(named('card')?.parentSpanContext?.spanId).toBe(attemptSpanIdOf(id, 1));
  expect(sent).toBe(`00-${outer.traceId}-${named('card')?.spanContext().spanId}-01`);
  expect(JSON.parse(lines.find((text) => text.includes('in the body')) ?? '{}')).toMatchObject({ traceId: outer.traceId });
});

test('a failure is the status of attempt, task and run, with its message', async () => {
  const client = await open();
  const handle = await client.submit(makeFlow({ bad: { retries: 1, does: failing('no card') } }, { name: 'broke' }), {});
  await handle.done();
  const ended = exporter.getFinishedSpans().map(({ name, status, links }) => [name, status.code, status.message ?? '', links.length]);
  expect(ended).toEqual([
    ['submit broke', 0, '', 0],
    ['attempt 1 of bad', 2, 'no card', 0],
    ['task bad', 2, 'no card', 0],
    ['attempt 2 of bad', 2, 'no card', 1],
    ['run broke', 2, expect.any(String), 0],
  ]);
});

test('nothing is told of a run whose submitter has left it out of the sample', async () => {
  const client = await open();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
  const handle = await client.submit(makeFlow({ one: {} }), {}, { traceparent });
  await handle.done();
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('a client that opens while the metrics of this process are exported has its runs in the traces of the provider', async () => {
  vi.stubEnv('OTEL_METRICS_EXPORTER', 'otlp');
  const metrics = await openMetricExport({ clock: systemClock, log: pino({ enabled: false }), owner: identifyProcess() });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await metrics?.close();
  });
  const client = await open();
  const handle = await client.submit(makeFlow({ one: {} }, { name: 'measured' }), {});
  await handle.done();
  expect(metrics).not.toBeNull();
  expect(named('submit measured')).toBeDefined();
  expect(named('run measured')?.parentSpanContext?.spanId).toBe(named('submit measured')?.spanContext().spanId);
});
