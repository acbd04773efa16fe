/** An HTTP server on loopback that behaves as badly as it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ApiServer {
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: IncomingMessage[];
  /** Connections that are open. */
  connections(): Promise<number>;
  /** Most requests that were under way at the same time. */
  readonly most: number;
}

/** @param answers how the first request is answered, the second and so on; the last one answers all further requests */
export async function ownApiServer(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]): Promise<ApiServer> {
  const requests: IncomingMessage[] = [];
  let underWay = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    most = Math.max(most, (underWay += 1));
    response.once('close', () => (underWay -= 1));
    request.resume().once('end', () => answer?.(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    connections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    get most() {
      return most;
    },
  };
}

export const json =
  (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

export const reset = (request: IncomingMessage): void => void request.socket.destroy();
export const silence = (): void => undefined;
