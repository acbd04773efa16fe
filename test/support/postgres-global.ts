/**
 * One PostgreSQL server for a whole test run, started when the first test file asks for it.
 *
 * Test files run in processes of their own; they ask over a port of 127.0.0.1 and get the URL of the server as one line.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres-process.ts';
import type { PostgresServer } from './postgres-process.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Port that gives the URL of the server. */
    postgresPort: number;
  }
}

/** vitest calls this before the first test file, and what it gives back after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | undefined;
  const port = createServer((socket) => {
    socket.on('error', () => undefined);
    server ??= startPostgres();
    server.then(
      ({ url }) => socket.end(url),
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
  project.provide('postgresPort', (port.address() as AddressInfo).port);
  return async () => {
    port.close();
    await (await server?.catch(() => undefined))?.stop();
  };
}
