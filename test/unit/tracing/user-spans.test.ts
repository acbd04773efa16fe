import { context, propagation, ROOT_CONTEXT, trace, type ContextManager } from '@opentelemetry/api';
import { AlwaysOnSampler } from '@opentelemetry/sdk-trace';
import { afterEach, expect, test } from 'vitest';
import { hasTracerProvider } from '../../../src/model/trace.ts';
import type { SpanRecord } from '../../../src/model/span.ts';
import { registerProvider } from '../../../src/tracing/user-spans.ts';

afterEach(() => [trace, context, propagation].forEach((api) => api.disable()));

const ownContexts: ContextManager = {
  active: () => ROOT_CONTEXT.setValue(Symbol.for('own'), true),
  with: (_context, work, thisArg, ...args) => Reflect.apply(work, thisArg, args),
  bind: (_context, target) => target,
  enable: () => ownContexts,
  disable: () => ownContexts,
};

test('what the program has registered itself stays when traces end', () => {
  context.setGlobalContextManager(ownContexts);
  registerProvider(new AlwaysOnSampler(), () => undefined)();
  expect([hasTracerProvider(), propagation.fields()]).toEqual([false, []]);
  expect(context.active().getValue(Symbol.for('own'))).toBe(true);
});

test('beside a provider of the program, what was set is taken back, and the provider stays', () => {
  trace.setGlobalTracerProvider({ getTracer: () => trace.getTracer('none') });
  const unregister = registerProvider(new AlwaysOnSampler(), () => undefined);
  expect(propagation.fields()).toContain('traceparent');
  unregister();
  expect([hasTracerProvider(), propagation.fields()]).toEqual([true, []]);
});

test('a span whose name is no text can be sent to another thread', () => {
  const taken: SpanRecord[] = [];
  registerProvider(new AlwaysOnSampler(), (span) => taken.push(span));
  trace
    .getTracer('shop')
    .startSpan((() => 'name') as unknown as string)
    .end();
  expect(structuredClone(taken)).toHaveLength(1);
});
