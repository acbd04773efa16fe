import { trace, type Tracer } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { ForeignSpans, openForeignSampling } from '../../../src/tracing/foreign-spans.ts';
import { hideWhile } from '../../../src/base/hidden-values.ts';
import type { SpanRecord } from '../../../src/model/span.ts';

afterEach(() => {
  trace.disable();
  vi.unstubAllEnvs();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const span: SpanRecord = {
  ...{ name: 'run order', kind: 0, traceId, spanId: '00f067aa0ba902b7', parentSpanId: null, startMs: 1, endMs: 2 },
  ...{ attributes: { note: 'planted-value' }, hasFailed: false, message: null, links: [] },
};

function withTracer(startSpan: Tracer['startSpan']): { readonly spans: ForeignSpans; readonly lines: string[] } {
  const lines: string[] = [];
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as Tracer });
  return { spans: new ForeignSpans(pino({}, { write: (line) => void lines.push(line) })), lines };
}

test('a provider that throws is told of once, and fails nothing', () => {
  const { spans, lines } = withTracer(() => {
    throw new Error('no room');
  });
  spans.addSpan(span);
  spans.addSpan(span);
  expect(lines).toEqual([expect.stringContaining('no room')]);
});

test('secrets are hidden in what a provider is given', () => {
  const given: unknown[] = [];
  const { spans } = withTracer((...args) => {
    given.push(args);
    throw new Error('seen enough');
  });
  const release = hideWhile(['planted-value']);
  spans.addSpan(span);
  release();
  expect(given).toEqual([['run order', expect.objectContaining({ attributes: { note: '[redacted]' } }), expect.anything()]]);
});

test('the submitter decides what is sampled, and the variables where it has not', () => {
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_off');
  const off = openForeignSampling();
  expect([off(traceId, null), off(traceId, { spanId: span.spanId, isSampled: true })]).toEqual([false, true]);
  vi.stubEnv('OTEL_TRACES_SAMPLER', '');
  const on = openForeignSampling();
  expect([on(traceId, null), on(traceId, { spanId: span.spanId, isSampled: false })]).toEqual([true, false]);
});
