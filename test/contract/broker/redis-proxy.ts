/** A proxy before Redis, which swallows or rewrites what passes. */
import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { freePort } from '../../support/redis.ts';

/** Passes bytes on, until told to swallow those of the connections there are, all but the first few. */
export async function startProxy(
  target: number,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<{ readonly port: number; silence(butFirst: number): void; stop(): Promise<void> }> {
  const sockets: { readonly client: Socket; readonly server: Socket }[] = [];
  const proxy: Server = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    sockets.push({ client, server });
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => server.destroy());
    client.pipe(server);
    server.on('data', (bytes: Buffer) => client.write(change(bytes)));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  return {
    port,
    silence(butFirst) {
      for (const { client, server } of sockets.slice(butFirst)) {
        client.unpipe(server);
        server.removeAllListeners('data');
        client.resume();
        server.resume();
      }
    },
    async stop() {
      for (const { client, server } of sockets) {
        client.destroy();
        server.destroy();
      }
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
