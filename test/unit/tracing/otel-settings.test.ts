import { expect, test } from 'vitest';
import { readExportWish } from '../../../src/tracing/otel-settings.ts';

const wish = (signal: 'traces' | 'metrics', env: Readonly<Record<string, string>>) => readExportWish(signal, (name) => env[name]);
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

test.each([
  ['nothing is set', {}, false],
  ['an endpoint is set', endpoint, true],
  ['an endpoint of traces is set', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }, true],
  ['the exporter is otlp', { OTEL_TRACES_EXPORTER: 'otlp' }, true],
  ['the exporter is none', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, false],
  ['the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, false],
  ['variables are empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }, false],
])('where %s, traces are exported: %#', (_, env, isOn) => {
  expect(wish('traces', env)).toEqual({ isOn, protocol: 'http/protobuf', refused: null });
});

test('metrics are sent by their own variable alone: Prometheus may scrape them', () => {
  expect(wish('metrics', endpoint).isOn).toBe(false);
  expect(wish('metrics', { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' })).toEqual({
    ...{ isOn: true, protocol: 'http/json', refused: null },
  });
});

test.each([
  ['an exporter that is not known', { OTEL_TRACES_EXPORTER: 'zipkin' }, "OTEL_TRACES_EXPORTER is 'zipkin'"],
  ['gRPC', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, "'grpc' is not spoken"],
])('%s is refused in words', (_, env, said) => {
  expect(wish('traces', env)).toMatchObject({ isOn: false, refused: expect.stringContaining(said) });
});
