import { expect, test } from 'vitest';
import { measureAgain, type OwnMeasure, ownMetrics } from '../../../src/model/own-metrics.ts';

const collect = () => {
  const measures: OwnMeasure[] = [];
  return { measures, metrics: ownMetrics((measure) => measures.push(measure)) };
};

test('a measurement has its metric as it was declared first, and its labels in their order as text', () => {
  const { measures, metrics } = collect();
  const rows = metrics.counter('rows_read', { help: 'Rows\nread.', labels: ['table', 'ok'] });
  rows.add(3, { ok: true, table: 'flights' });
  metrics.gauge('depth').set(-1);
  metrics.histogram('size_bytes', { buckets: [1, 10] }).observe(5);
  expect(measures.map(({ metric: { name, type, help }, how, value, labels }) => [name, type, help, how, value, labels])).toEqual([
    ['rows_read_total', 'counter', 'Rows read.', 'add', 3, ['flights', 'true']],
    ['depth', 'gauge', 'depth', 'set', -1, []],
    ['size_bytes', 'histogram', 'size_bytes', 'observe', 5, []],
  ]);
});

test('what a thread has measured is the same when it is done again in its process', () => {
  const { measures, metrics } = collect();
  metrics.counter('again_total', { labels: ['a'] }).add(2, { a: 'x' });
  metrics.gauge('again_gauge').add(-2);
  metrics.histogram('again_seconds', { buckets: [1, 2] }).observe(1.5);
  const other = collect();
  for (const measure of measures) measureAgain(other.metrics, structuredClone(measure));
  expect(other.measures).toEqual(measures);
});

test.each([
  ['a name that Prometheus does not take', () => collect().metrics.counter('rows-read')],
  ['a name that is taken', () => collect().metrics.gauge('batuta_runs')],
  ['a label that is no name', () => collect().metrics.gauge('g1', { labels: ['a b'] })],
  ['a label that Prometheus sets', () => collect().metrics.gauge('g2', { labels: ['instance'] })],
  ['a label that is named twice', () => collect().metrics.gauge('g3', { labels: ['a', 'a'] })],
  ['too many labels', () => collect().metrics.gauge('g4', { labels: 'abcdefghijk'.split('') })],
  ['buckets that fall', () => collect().metrics.histogram('h1', { buckets: [2, 1] })],
  ['no buckets', () => collect().metrics.histogram('h2', { buckets: [] })],
  ['a value that is no number', () => collect().metrics.gauge('g5').set(Number.NaN)],
  ['a counter that falls', () => collect().metrics.counter('c1').add(-1)],
  [
    'a label without a value',
    () =>
      collect()
        .metrics.gauge('g6', { labels: ['a'] })
        .set(1, {} as { a: string }),
  ],
  [
    'a label that was not declared',
    () =>
      collect()
        .metrics.gauge('g7', { labels: ['a'] })
        .set(1, { a: 'x', b: 'y' } as { a: string }),
  ],
  [
    'another kind under a name',
    () => {
      const { metrics } = collect();
      metrics.gauge('twice_total');
      metrics.counter('twice');
    },
  ],
  [
    'other labels under a name',
    () => {
      const { metrics } = collect();
      metrics.gauge('labelled', { labels: ['a'] });
      metrics.gauge('labelled', { labels: ['b'] });
    },
  ],
])('%s is refused with METRIC_INVALID, which names the metric', (_what, declare) => {
  expect(declare).toThrow(expect.objectContaining({ code: 'METRIC_INVALID', details: { metric: expect.any(String) } }));
});
