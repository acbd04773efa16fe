import { pino } from 'pino';
import { expect, test } from 'vitest';
import { packageVersion } from '../../src/base/installed.ts';
import { watchEventLoop } from '../../src/base/clock.ts';
import { openHealthFile } from '../../src/observe/health-file.ts';
import { heartbeat } from '../../worker/heartbeat.ts';
import { ownEngine } from '../support/own-engine.ts';

test('a worker that could not tell that it lives says so, and says when it can again', async () => {
  const { client } = await ownEngine();
  const { services } = client.engine;
  const lines: string[] = [];
  const log = pino({}, { write: (text: string) => void lines.push((JSON.parse(text) as { msg: string }).msg) });
  let reachable = true;
  const { id, host, pid } = services.owner;
  const service = heartbeat({
    services: { ...services, settings: { ...services.settings, heartbeatMs: 10 } },
    log,
    worker() {
      if (!reachable) throw new Error('away');
      return { id, name: 'one', version: packageVersion(), host, pid, concurrency: 1, startedAt: 0, queues: ['default'], flows: {} };
    },
    running: () => 0,
    eventLoop: watchEventLoop(),
    healthFile: openHealthFile(null, { clock: services.clock, goodForMs: 1_000 }),
  });
  await service.start();
  await expect.poll(() => services.store.workers.list()).toHaveLength(1);
  expect(lines).toEqual([]);
  reachable = false;
  await expect.poll(() => lines).toContain('The worker could not report that it is alive.');
  reachable = true;
  await expect.poll(() => lines.at(-1)).toBe('The worker reports again.');
  const { length } = lines;
  await expect.poll(async () => (await services.store.workers.list())[0]?.beatAt ?? 0).toBeGreaterThan(0);
  expect(lines).toHaveLength(length);
  await service.stop();
});
