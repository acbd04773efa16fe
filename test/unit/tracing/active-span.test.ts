import type { AttributeValue } from '@opentelemetry/api';
import { afterEach, expect, test } from 'vitest';
import { hideWhile } from '../../../src/base/hidden-values.ts';
import { ActiveSpan, keepNotes, notes, takeNotes } from '../../../src/tracing/active-span.ts';

const used: string[] = [];
afterEach(() => used.splice(0).forEach(takeNotes));

function spanOf(spanId: string, traceFlags = 1): ActiveSpan {
  used.push(spanId);
  return new ActiveSpan({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId, traceFlags }, () => 5);
}

test('what OpenTelemetry does not know as a value is left out, so that notes can be sent to another thread', () => {
  const span = spanOf('a');
  const bad = [() => undefined, new Response(''), { nested: 1 }, [1, 'two'], 3n] as unknown as AttributeValue[];
  for (const value of bad) span.setAttribute('bad', value).addEvent('seen', { bad: value, good: 1 });
  span.setAttributes({ good: ['a', 'b'], bad: bad[0] });
  span.recordException(null as unknown as Error);
  const taken = structuredClone(takeNotes('a'));
  expect(taken?.attributes).toEqual({ good: ['a', 'b'] });
  expect(taken?.events.slice(0, -1)).toEqual(bad.map(() => ({ name: 'seen', atMs: 5, attributes: { good: 1 } })));
});

test('what is hidden when it is noted stays hidden in the notes, however late these are taken', () => {
  const span = spanOf('a');
  const release = hideWhile(['planted-value']);
  span.setAttribute('token', 'Bearer planted-value').setAttributes({ list: ['planted-value'] });
  span.addEvent('with planted-value', { token: 'planted-value' });
  span.recordException(new Error('planted-value'));
  span.setStatus({ code: 2, message: 'no planted-value' });
  release();
  const text = JSON.stringify(takeNotes('a'));
  expect(text).not.toContain('planted-value');
  expect(text).toContain('Bearer [redacted]');
});

test('nothing is noted of a span that is not exported', () => {
  const span = spanOf('a', 0);
  span.setAttribute('one', 1).addEvent('two').setStatus({ code: 2 });
  expect([span.isRecording(), notes.areThere(), takeNotes('a')]).toEqual([false, false, null]);
});

test('where notes are too many, the newest are kept', () => {
  const ids = Array.from({ length: 10_001 }, (_, at) => `span ${at}`);
  used.push(...ids);
  for (const spanId of ids) keepNotes({ spanId, attributes: {}, events: [], failure: null });
  expect([takeNotes('span 0'), takeNotes('span 1'), takeNotes('span 10000')].map((taken) => taken?.spanId)).toEqual([
    ...[undefined, 'span 1', 'span 10000'],
  ]);
});
