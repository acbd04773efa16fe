/** The broker over which the processes of a fleet wake each other, chosen by the settings. */
import { BatutaError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { Broker } from '../broker/broker.ts';
import { openBroker } from '../broker/open.ts';
import type { Store } from '../store/store.ts';

/**
 * Opens Redis if `redisUrl` is set, else PostgreSQL if `brokerUrl` is, else the tickets in the SQLite database.
 *
 * @throws BatutaError CONFIG_INVALID (PostgreSQL without either), BROKER_UNAVAILABLE
 */
export async function openFleetBroker(
  config: Pick<Config, 'redisUrl' | 'brokerUrl' | 'brokerConnections' | 'leaseMs'>,
  store: Store,
  { logger }: Log,
): Promise<Broker> {
  const url = config.redisUrl ?? config.brokerUrl;
  if (url === null && store.dialect === 'postgres') {
    throw new BatutaError(
      'CONFIG_INVALID',
      'A fleet on PostgreSQL needs something that wakes its workers: set BATUTA_REDIS_URL, for example to redis://localhost:6379, or, without Redis, BATUTA_BROKER_URL to the address of the database.',
      { details: { setting: 'redisUrl' } },
    );
  }
  return await openBroker({
    url,
    store,
    visibilityMs: config.leaseMs,
    connections: config.brokerConnections,
    onError: (error) => logger.warn({ err: error }, 'The broker reports trouble.'),
    onWarning: (sentence) => logger.warn(sentence),
  });
}
