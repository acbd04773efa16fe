/** BullMQ on PostgreSQL over a pool shared by several queues and workers. */
import { PostgresConnection, PostgresQueueBackend } from 'bullmq';
import type { BackendFactory, PostgresPoolConfig } from 'bullmq';
import type pg from 'pg';

/** BullMQ's connection: how to connect when waiting to be woken, and the pool for all else. */
export type SharedConnection = PostgresPoolConfig & { readonly pool: pg.Pool };

/**
 * Makes the backend of a queue or worker. A pool passed to BullMQ directly would have to be in its own, already migrated schema, and would
 * lose a connection for good to each waiting worker; so BullMQ gets a configuration, and the pool it makes from that, not yet connected, is
 * replaced.
 */
export const sharedPostgresBackend = ((name, options, { withBlockingConnection } = {}) => {
  const { pool, ...config } = options.connection as unknown as SharedConnection;
  const connection = new PostgresConnection(config);
  Object.assign(connection, { pool: withoutEnd(pool) });
  return new PostgresQueueBackend(connection, name, { ...options, connection: config }, true, withBlockingConnection ? name : undefined);
}) as BackendFactory;

/** BullMQ ends what it takes for its own; the wire ends this one. */
function withoutEnd(pool: pg.Pool): object {
  return {
    connect: () => pool.connect(),
    query: (text: string, values?: unknown[]) => pool.query(text, values),
    end: async () => undefined,
  };
}
