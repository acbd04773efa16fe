/** Without a variable of OpenTelemetry and without a provider nothing is opened, and nothing of it is registered. */
import { afterEach, expect, test, vi } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { identifyProcess } from '../../../src/base/process-identity.ts';
import { hasTracerProvider } from '../../../src/model/trace.ts';
import { openMetricExport, openTracing } from '../../../src/tracing/open-tracing.ts';

afterEach(() => vi.unstubAllEnvs());

async function open(env: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const lines: string[] = [];
  const { logger } = await openLog({ level: 'warn', format: 'json', write: (text) => lines.push(text) });
  const options = { clock: systemClock, log: logger, owner: identifyProcess() };
  return { tracing: await openTracing(options), metrics: await openMetricExport(options), lines };
}

test.each([[{}], [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }], [{ OTEL_SERVICE_NAME: 'shop' }]])(
  'with %o there are no traces',
  async (env) => {
    expect(await open(env)).toEqual({ tracing: null, metrics: null, lines: [] });
    expect(hasTracerProvider()).toBe(false);
  },
);

test('what a variable asks for in vain is told, and there are none', async () => {
  const { tracing, metrics, lines } = await open({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  expect([tracing, metrics, hasTracerProvider()]).toEqual([null, null, false]);
  expect(lines).toEqual([expect.stringContaining("'grpc' is not spoken here")]);
});

test('two clients of a process share a provider, which goes with the last of them', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  const [one, other] = [await open(env), await open(env)];
  expect(hasTracerProvider()).toBe(true);
  await one.tracing?.stop();
  await one.tracing?.stop();
  expect(hasTracerProvider()).toBe(true);
  await other.tracing?.stop();
  expect(hasTracerProvider()).toBe(false);
});
