/** BullMQ on PostgreSQL over a pool that several of its queues and workers share. */
import { PostgresConnection, PostgresQueueBackend } from 'bullmq';
import type { BackendFactory, PostgresPoolConfig } from 'bullmq';
import type pg from 'pg';

/** What BullMQ gets as its connection: how it connects to wait to be woken, and the pool for all else. */
export type SharedConnection = PostgresPoolConfig & { readonly pool: pg.Pool };

/**
 * Makes the backend of a queue or worker. A pool that BullMQ is handed itself would have to be in its own schema, brought up to date
 * before, and would lose a connection for good to each worker that waits; so it is handed a configuration, and the pool it makes of
 * that, which has not connected yet, is replaced.
 */
export const sharedPostgresBackend = ((name, options, { withBlockingConnection } = {}) => {
  const { pool, ...config } = options.connection as unknown as SharedConnection;
  const connection = new PostgresConnection(config);
  Object.assign(connection, { pool: withoutEnd(pool) });
  return new PostgresQueueBackend(connection, name, { ...options, connection: config }, true, withBlockingConnection ? name : undefined);
}) as BackendFactory;

/** BullMQ ends what it takes for its own; this one is ended by the wire. */
function withoutEnd(pool: pg.Pool): object {
  return {
    connect: () => pool.connect(),
    query: (text: string, values?: unknown[]) => pool.query(text, values),
    end: async () => undefined,
  };
}
