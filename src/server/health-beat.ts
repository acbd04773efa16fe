/** Signals by a file that this server is alive and reaches the database; read by `batuta health` in a container. */
import { makeLoop } from '../base/loop.ts';
import type { Log } from '../base/log.ts';
import { makeService, type Service } from '../base/service.ts';
import type { Config } from '../base/settings.ts';
import type { LocalClient } from '../client/local-client.ts';
import { openHealthFile } from '../observe/health-file.ts';

/** Beats if the settings name a file; removes the file on stop. */
export function healthBeat(
  { healthFile: path, heartbeatMs, leaseMs }: Pick<Config, 'healthFile' | 'heartbeatMs' | 'leaseMs'>,
  client: LocalClient,
  { logger }: Log,
): Service {
  if (path === null) return makeService({ name: 'beat', start: () => undefined });
  const { store, leaseClock, random } = client.engine.services;
  const file = openHealthFile(path, { clock: leaseClock, goodForMs: leaseMs });
  const loop = makeLoop({
    name: 'beat',
    intervalMs: heartbeatMs,
    maxBackoffMs: heartbeatMs,
    clock: leaseClock,
    random,
    onError: (error) => logger.warn({ err: error }, 'The health file of the server could not be written.'),
    async step() {
      await store.schemaVersion();
      await file.beat();
    },
  });
  return makeService({
    name: 'beat',
    start: () => loop.start(),
    async stop() {
      await loop.stop();
      await file.remove();
    },
  });
}
