/** Stands before a server and can swallow its next answer: the server has done the work, and nobody is told. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface CuttingProxy {
  /** URL of the server through the proxy. */
  readonly url: string;
  /** The next answer of the server is thrown away, and the connection with it. */
  cutNextAnswer(): void;
  /** How many answers were thrown away. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** A proxy on a free port of 127.0.0.1 before the server of `serverUrl`. */
export async function startProxy(serverUrl: string): Promise<CuttingProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let isArmed = false;
  let cuts = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      if (!isArmed) return void client.write(bytes);
      isArmed = false;
      cuts += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = new URL(serverUrl);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    cutNextAnswer() {
      isArmed = true;
    },
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
