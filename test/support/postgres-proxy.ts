/** Stands before a PostgreSQL server and behaves as badly as a network or a server at its end may. */
import { Buffer } from 'node:buffer';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface PostgresProxy {
  /** URL of the server through the proxy. */
  readonly url: string;
  /** The next answer of the server is thrown away, and the connection with it: the server has done the work, and nobody is told. */
  cutNextAnswer(): void;
  /** How many answers were thrown away. */
  readonly cuts: number;
  /** The first answer to a message with this text comes in one piece with the news that the server shuts down. */
  shutDownWithAnswerTo(text: string): void;
  /** How many answers came so. */
  readonly shutDowns: number;
  /** From now on who says farewell is told in the same moment that the server shuts down. */
  refuseFarewells(): void;
  /** How many were told so. */
  readonly refusals: number;
  close(): Promise<void>;
}

/** The message Terminate of a client. Source: PostgreSQL, "Message Formats". */
const farewell = Buffer.from([0x58, 0, 0, 0, 4]);

/** First byte and length of the message ReadyForQuery, which ends an answer. */
const readyForQuery = 0x5a;
const readyBytes = 6;

/** The error that a server sends to all when it is shut down. */
const shutDown = ((): Buffer => {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
})();

/** A proxy on a free port of 127.0.0.1 before the server of `serverUrl`. */
export async function startProxy(serverUrl: string): Promise<PostgresProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let isArmed = false;
  let cuts = 0;
  let refuses = false;
  let refusals = 0;
  let lastWords: string | null = null;
  let shutDowns = 0;
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
    let isLast = false;
    client.on('data', (bytes) => {
      if (lastWords !== null && bytes.includes(lastWords)) [isLast, lastWords] = [true, null];
      if (!refuses || !bytes.subarray(-farewell.length).equals(farewell)) return void server.write(bytes);
      refusals += 1;
      client.write(shutDown, () => client.destroy());
    });
    server.on('data', (bytes) => {
      if (isLast && bytes.at(-readyBytes) === readyForQuery) {
        shutDowns += 1;
        return void client.write(Buffer.concat([bytes, shutDown]), () => client.destroy());
      }
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
    shutDownWithAnswerTo(text) {
      lastWords = text;
    },
    get shutDowns() {
      return shutDowns;
    },
    get cuts() {
      return cuts;
    },
    refuseFarewells() {
      refuses = true;
    },
    get refusals() {
      return refusals;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
