/** The thread that exports, as its process sees it. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { hideWhile } from '../../../src/base/hidden-values.ts';
import { identifyProcess } from '../../../src/base/process-identity.ts';
import type { SpanRecord } from '../../../src/model/span.ts';
import { Exporter } from '../../../src/tracing/exporter.ts';
import { exportMetrics } from '../../../src/client/metric-export.ts';
import { openMetrics } from '../../../src/monitor/open-metrics.ts';
import type { MetricFamily } from '../../../src/tracing/exporter-protocol.ts';
import { openMetricExport, openTracing } from '../../../src/tracing/open-tracing.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
const lines: string[] = [];
const log = pino({}, { write: (line) => void lines.push(line) });
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  lines.length = 0;
  await receiver.stop();
});

function openExporter(protocol: 'http/protobuf' | 'http/json' = 'http/protobuf'): Exporter {
  const on = { isOn: true, protocol };
  return new Exporter({ data: { traces: on, metrics: on, resource: {}, version: '1' }, clock: systemClock, log });
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
function spanOf(name: string, attributes: SpanRecord['attributes'] = {}): SpanRecord {
  return {
    ...{ name, kind: 0, traceId, spanId: '00f067aa0ba902b7', parentSpanId: null, startMs: 1_000, endMs: 2_000 },
    ...{ attributes, hasFailed: false, message: null, links: [] },
  };
}

function counterAt(value: number): MetricFamily[] {
  return [{ name: 'sold_total', help: 'What was sold.', type: 'counter', values: [{ value, labels: {} }] }];
}

test('what cannot be handed to the thread is for the log: nobody fails for it, and what follows is exported', async () => {
  const exporter = openExporter();
  exporter.addSpan(spanOf('bad', { bad: (() => 1) as unknown as string }));
  await exporter.flush();
  exporter.addSpan(spanOf('good'));
  await exporter.close();
  expect(lines).toEqual([expect.stringContaining('could not be passed')]);
  expect(receiver.spans.map(({ name }) => name)).toEqual(['good']);
});

test('spans that keep coming are exported meanwhile', async () => {
  vi.stubEnv('OTEL_BSP_MAX_QUEUE_SIZE', '100000000');
  const exporter = openExporter();
  // Each batch comes sooner than the thread waits for.
  while (receiver.spans.length === 0) {
    for (let at = 0; at < 1_024; at++) exporter.addSpan(spanOf('one of many'));
    await systemClock.sleep(40);
  }
  await exporter.close(true);
  expect(lines).toEqual([]);
});

test('variables count as they were when it was opened, though its thread begins later', async () => {
  const exporter = openExporter();
  vi.unstubAllEnvs();
  exporter.addSpan(spanOf('late'));
  await exporter.close();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['late']);
});

test('a secret stands in nothing that is sent, and ids stay as they are', async () => {
  const exporter = openExporter('http/json');
  const release = hideWhile(['planted-value', '4bf9']);
  exporter.addSpan({
    ...spanOf('call planted-value', { 'planted-value': 'Bearer planted-value', list: ['planted-value'] }),
    ...{ hasFailed: true, message: 'planted-value' },
    links: [{ traceId, spanId: '00f067aa0ba902b7', attributes: { note: 'planted-value' } }],
    events: [{ name: 'planted-value', atMs: 1_500, attributes: { note: 'planted-value' } }],
  });
  release();
  await exporter.close();
  expect(JSON.stringify(receiver.spans)).not.toContain('planted-value');
  expect(receiver.spans).toMatchObject([{ name: 'call [redacted]', traceId, attributes: { list: ['[redacted]'] } }]);
});

test('the same trouble has the same words in the log, its figures beside them', async () => {
  receiver.answerWith(400);
  const exporter = openExporter();
  for (const size of [1, 2]) {
    for (let at = 0; at < size; at++) exporter.addSpan(spanOf('refused'));
    await exporter.flush();
  }
  await exporter.close();
  const told = lines.map((line) => JSON.parse(line) as { readonly spans: number; readonly err: { readonly message: string } });
  expect(told.map(({ spans }) => spans)).toEqual([1, 2]);
  expect(new Set(told.map(({ err }) => err.message)).size).toBe(1);
});

test('a receiver that takes spans and answers what nobody can read is reported in words', async () => {
  const odd = createServer((request, response) => void request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(odd.address() as AddressInfo).port}`);
  const exporter = openExporter();
  exporter.addSpan(spanOf('taken'));
  await exporter.close();
  expect(lines).toEqual([expect.stringContaining('OTLPExportDelegate: Export succeeded but could not deserialize response')]);
  await new Promise((resolve) => {
    odd.close(resolve);
    odd.closeAllConnections();
  });
});

test('metrics that wait for a slow receiver are overtaken by newer ones', async () => {
  const held: ServerResponse[] = [];
  const values: number[] = [];
  const slow: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      values.push(JSON.parse(body).resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[0].asDouble);
      if (values.length === 1) held.push(response);
      else response.end('{}');
    });
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
  const exporter = openExporter('http/json');
  exporter.addMetrics(counterAt(1), 0);
  await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
  for (const value of [2, 3, 4]) exporter.addMetrics(counterAt(value), 0);
  // Handed over in order: once the trouble of the span is told, the thread has heard of all metrics before it.
  exporter.addSpan({ ...spanOf('unreadable'), links: null as unknown as [] });
  const closed = exporter.close();
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(1);
  held[0]?.end('{}');
  await closed;
  expect(values).toEqual([1, 4]);
  await new Promise((resolve) => {
    slow.close(resolve);
    slow.closeAllConnections();
  });
});

test('in a hurry what is left is dropped, without a wait for a receiver that does not answer', async () => {
  const dead = createServer(() => undefined);
  await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(dead.address() as AddressInfo).port}`);
  const exporter = openExporter();
  exporter.addMetrics(counterAt(1), 0);
  exporter.addSpan(spanOf('left'));
  await exporter.close(true);
  expect(lines).toEqual([]);
  await new Promise((resolve) => {
    dead.close(resolve);
    dead.closeAllConnections();
  });
});

test('who holds the exporter while another is the last to leave it keeps it', async () => {
  vi.stubEnv('OTEL_METRICS_EXPORTER', 'otlp');
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'none');
  const options = { clock: systemClock, log, owner: identifyProcess() };
  const first = await openMetricExport(options);
  const opening = openMetricExport(options);
  const left = first?.close();
  const second = await opening;
  await left;
  second?.addMetrics(counterAt(3), 0);
  await second?.close();
  expect(receiver.metrics.get('sold_total')?.points).toMatchObject([{ value: 3 }]);
});

test('what one client has left is exported though the last one to leave is in a hurry', async () => {
  const options = { clock: systemClock, log, owner: identifyProcess() };
  const [first, last] = [await openTracing(options), await openTracing(options)];
  first?.tracer.submit({ id: 'a', flow: 'of-the-first' }, undefined);
  await first?.stop();
  await last?.stop(true);
  expect(receiver.spans.map(({ name }) => name)).toEqual(['submit of-the-first']);
});

test('metrics that a receiver does not take hold nobody up who is in a hurry', async () => {
  let asked = 0;
  const dead = createServer(() => void asked++);
  await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(dead.address() as AddressInfo).port}`);
  vi.stubEnv('OTEL_METRICS_EXPORTER', 'otlp');
  vi.stubEnv('OTEL_METRIC_EXPORT_INTERVAL', '20');
  const options = { clock: systemClock, random: Math.random, log, owner: identifyProcess() };
  const end = await exportMetrics(await openMetrics(systemClock, 10), options);
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(1);
  await end(true);
  expect(lines).toEqual([]);
  await new Promise((resolve) => {
    dead.close(resolve);
    dead.closeAllConnections();
  });
});
