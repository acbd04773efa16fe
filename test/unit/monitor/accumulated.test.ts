import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { AccumulatedMetric } from '../../../src/monitor/metrics/accumulated.ts';

/** The text that a registry makes of a metric. */
async function textOf(fill: (registry: Registry) => void): Promise<string> {
  const registry = new Registry();
  fill(registry);
  return await registry.metrics();
}

const values = [0, 0.5, 1, 1.5, 2, 99];

test('a histogram is exposed as prom-client exposes its own, with and without labels', async () => {
  for (const labels of [[], ['flow', 'state']]) {
    const row = { name: 'took_seconds', help: 'How long.', labels, buckets: [1, 2] };
    const set = labels.map((label) => `a ${label}`);
    const ours = await textOf((registry) => {
      const metric = new AccumulatedMetric(row.name, { type: 'histogram', ...row });
      registry.registerMetric(metric.asMetric);
      for (const value of values) metric.observe(metric.seriesOf(set), value);
    });
    const theirs = await textOf((registry) => {
      const metric = new Histogram({ name: row.name, help: row.help, labelNames: labels, buckets: row.buckets, registers: [registry] });
      for (const value of values) metric.labels(...set).observe(value);
    });
    expect(ours).toBe(theirs);
  }
});

test('counters and gauges are exposed as those of prom-client; without labels they stand at 0 from the start, and after a reset', async () => {
  const ours = await textOf((registry) => {
    const counter = new AccumulatedMetric('made_total', { type: 'counter', help: 'Made.', labels: ['kind'] });
    const gauge = new AccumulatedMetric('depth', { type: 'gauge', help: 'Depth.', labels: [] });
    for (const metric of [counter, gauge]) registry.registerMetric(metric.asMetric);
    const kind = ['x"y\n'];
    counter.seriesOf(kind).value += 2;
    counter.seriesOf(kind).value += 0.5;
    gauge.seriesOf([]).value = 7;
    gauge.reset();
  });
  const theirs = await textOf((registry) => {
    new Counter({ name: 'made_total', help: 'Made.', labelNames: ['kind'], registers: [registry] }).labels('x"y\n').inc(2.5);
    new Gauge({ name: 'depth', help: 'Depth.', registers: [registry] }).set(0);
  });
  expect(ours).toBe(theirs);
});
