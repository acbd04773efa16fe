/**
 * A small server for processes without one: `/metrics` and `/health…` of a worker or a scheduler, for Prometheus and probes.
 *
 * On loopback it requires no authentication; elsewhere metrics require an API key with the role viewer or higher.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatutaError } from '../base/errors.ts';
import { hostnameOf, isLoopbackHost, isReachedFromHereAlone } from '../base/loopback.ts';
import type { Health } from './health/health.ts';
import type { Metrics } from './metrics/metrics.ts';

export interface MonitorServerOptions {
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Whether an API key may read metrics. @throws BatutaError STORE_… */
  readonly isKey: (key: string) => Promise<boolean>;
  /** Receives errors of requests. */
  readonly onError: (error: unknown) => void;
}

export interface MonitorServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

const requestTimeoutMs = 15_000;

/** @throws BatutaError CONFIG_INVALID if the address or port is unavailable */
export async function listenForMonitoring(options: MonitorServerOptions): Promise<MonitorServer> {
  const { host, port } = options;
  const isOpen = await isReachedFromHereAlone(host);
  const server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs }, (request, response) => {
    answer(options, isOpen, request, response).catch((error: unknown) => {
      options.onError(error);
      if (!response.headersSent) send(response, 503, 'It is not known at the moment.');
      else response.destroy();
    });
  });
  await listen(server, host, port);
  // A scrape must not keep an ending process alive.
  server.unref();
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { metrics, health, isKey }: MonitorServerOptions,
  isOpen: boolean,
  { method = 'GET', url = '/', headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'It only answers GET.', { allow: 'GET, HEAD' });
  const [path] = url.split('?', 1);
  if (path === '/health/live') return sendJson(response, 200, { ok: true });
  if (path === '/health' || path === '/health/ready') {
    const { status, checks } = await health.read();
    const named = checks.map(({ name, status: is }) => ({ name, status: is }));
    return sendJson(response, status === 'unhealthy' ? 503 : 200, { status, checks: named });
  }
  if (path !== '/metrics') return send(response, 404, 'There are /metrics, /health, /health/ready and /health/live.');
  // Against DNS rebinding: a page of another origin whose name leads here must not read it.
  if (isOpen && !isLoopbackHost(hostnameOf(headers.host ?? '') ?? '')) return send(response, 403, 'This address is not for others.');
  if (!isOpen && !(await showsKey(headers.authorization, isKey)))
    return send(response, 401, 'It wants an API key: Authorization: Bearer KEY.', { 'www-authenticate': 'Bearer' });
  send(response, 200, await metrics.text(), { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
}

async function showsKey(authorization: string | undefined, isKey: (key: string) => Promise<boolean>): Promise<boolean> {
  const [, key] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  return key !== undefined && (await isKey(key));
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, JSON.stringify(body), { 'content-type': 'application/json', 'cache-control': 'no-store' });
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  const type = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { ...type, 'content-length': Buffer.byteLength(body), ...headers }).end(body);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => resolve());
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError(
      'CONFIG_INVALID',
      `Metrics cannot be served on port ${port} of ${host} (${why}). Choose another by --metrics-port or BATUTA_METRICS_PORT; 0 takes a free one.`,
      { cause, details: { setting: 'metricsPort' } },
    );
  }
}
