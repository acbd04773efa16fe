/** Metrics of `batuta run`, which no server serves: in a file, at a push gateway, by OTLP. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { lintMetrics, valueOf } from '../support/metrics.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject();
project.write(
  'flows/shop.ts',
  `import { Flow, Task, type TaskContext } from 'batuta';
@Flow()
export class Shop {
  @Task() sell(ctx: TaskContext<{ fail?: boolean }>): number {
    ctx.metrics.counter('sold', { help: 'What was sold.', labels: ['city'] }).add(3, { city: 'Lima' });
    ctx.metrics.histogram('price', { buckets: [10, 20] }).observe(15);
    if (ctx.params.fail) throw new Error('sold out');
    return 3;
  }
}
`,
);
let gateway: Server | undefined;
let receiver: OtlpReceiver | undefined;
afterEach(async () => {
  await new Promise<void>((resolve) => (gateway ? gateway.close(() => resolve()) : resolve()));
  await receiver?.stop();
  [gateway, receiver] = [undefined, undefined];
});
afterAll(() => project.remove());

test('are written to a file as a whole, for a run that fails as well, and leave nothing else behind', async () => {
  for (const [params, state, status] of [
    ['{}', 'Completed', 0],
    ['{"fail":true}', 'Failed', 1],
  ] as const) {
    const ended = await project.batuta('run', 'flows/shop.ts', '--params', params, '--metrics-file', 'shop.prom');
    expect(ended.status, ended.stderr).toBe(status);
    const text = readFileSync(join(project.path, 'shop.prom'), 'utf8');
    expect(valueOf(text, 'sold_total', { city: 'Lima' })).toBe(3);
    expect(valueOf(text, 'batuta_runs_total', { flow: 'shop', state })).toBe(1);
    expect(text).not.toMatch(/^(process|nodejs)_/m);
    expect(lintMetrics(text)).toEqual([]);
    expect(readdirSync(project.path).filter((name) => name.includes('.prom'))).toEqual(['shop.prom']);
  }
});

test('a file in a folder that is not there is refused before anything runs', async () => {
  const { status, stderr } = await project.batuta('run', 'flows/shop.ts', '--metrics-file', 'nowhere/shop.prom');
  expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('of the metrics file does not exist')]);
  expect(status).not.toBe(0);
});

test('are pushed in the place of what the flow has pushed before; a gateway that refuses is told, and the run keeps its status', async () => {
  const seen: { method: string; url: string; login: string; body: string }[] = [];
  let answer = 200;
  gateway = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', login: request.headers.authorization ?? '', body });
      response.writeHead(answer).end('not today');
    });
  });
  await new Promise<void>((resolve) => gateway?.listen(0, '127.0.0.1', resolve));
  const { port } = gateway.address() as AddressInfo;
  const env = { BATUTA_METRICS_PUSH_URL: `http://me:secret@127.0.0.1:${port}/push/` };
  expect((await project.batutaWith(env, 'run', 'flows/shop.ts')).status).toBe(0);
  const flow = Buffer.from('shop').toString('base64url');
  const login = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  expect(seen).toEqual([{ method: 'PUT', url: `/push/metrics/job/batuta/flow@base64/${flow}`, login, body: expect.any(String) }]);
  expect(valueOf(seen[0]?.body ?? '', 'sold_total', { city: 'Lima' })).toBe(3);
  answer = 503;
  const refused = await project.batutaWith(env, 'run', 'flows/shop.ts');
  expect([refused.status, refused.stderr]).toEqual([0, expect.stringContaining('could not be pushed')]);
  expect(refused.stderr).toContain('503');
  expect(refused.stderr).not.toContain('secret');
});

test.each(['http/protobuf', 'http/json'])('are sent by OTLP as %s, counters cumulative, histograms by bucket', async (protocol) => {
  receiver = await startOtlpReceiver();
  const env = { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_TRACES_EXPORTER: 'none' };
  const ended = await project.batutaWith({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, 'run', 'flows/shop.ts');
  expect(ended.status, ended.stderr).toBe(0);
  expect(receiver.metrics.get('sold_total')).toMatchObject({
    ...{ kind: 'sum', isMonotonic: true },
    points: [{ attributes: { city: 'Lima' }, value: 3 }],
  });
  expect(receiver.metrics.get('price')).toMatchObject({
    kind: 'histogram',
    points: [{ value: 15, count: 1, bounds: [10, 20], counts: [0, 1, 0] }],
  });
  expect(receiver.metrics.get('batuta_runs_total')?.points).toMatchObject([{ attributes: { flow: 'shop', state: 'Completed' }, value: 1 }]);
  expect(receiver.metrics.get('batuta_worker_places')?.kind).toBe('gauge');
  expect(receiver.spans).toEqual([]);
});
