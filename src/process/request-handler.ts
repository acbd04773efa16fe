/** API and dashboard for an existing server: a plain Node.js request handler, and a Fastify plugin over it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeConfig } from '../base/config.ts';
import { stopIfLoading } from '../model/loading.ts';
import { readProcessSettings } from './settings.ts';
import { openSiteClient } from './site-client.ts';
import type { SiteOptions } from './start-server.ts';

/** Answers requests; for `node:http`, Express, Connect, Koa (`ctx.req`, `ctx.res`) and whatever else passes both on. */
export interface RequestHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Ends live streams, waits 10 s for running requests, closes what was opened. The server around it continues. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Opens API and dashboard without listening. Addresses are accepted with or without `basePath`, so it does not matter whether the framework
 * strips the mount path. Mount it before anything that reads bodies. `authorize` decides who may ask, besides anyone who presents a key of
 * Batuta; without either nobody has access, not even from this computer.
 *
 * In a file that is only loaded for its flows it opens nothing and never resolves.
 *
 * @throws BatutaError CONFIG_INVALID, FLOW_NOT_FOUND, STORE_…
 * @example
 * ```ts
 * const batuta = await requestHandler({ basePath: '/batuta', authorize: (request) => roleOf(request) }); app.use('/batuta', batuta);
 * ```
 */
export async function requestHandler(options: SiteOptions = {}): Promise<RequestHandler> {
  await stopIfLoading();
  const { basePath, authorize } = options;
  const settings = await readProcessSettings(options, { basePath });
  const log = await settings.openLog();
  const client = await openSiteClient(settings, log, options);
  const { openApp } = await import('../server/start.ts');
  const opened = await openApp({ config: settings.config, log, client, authorize, settings: describeConfig(settings.loaded) }, false).catch(
    async (error: unknown) => {
      await client.close();
      throw error;
    },
  );
  let stopped: Promise<void> | undefined;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (stopped) return refuse(response, 503, 'SERVER_UNREACHABLE', 'Batuta is being stopped.');
    if (isBodyGone(request)) return refuse(response, 500, 'INTERNAL', bodyGone);
    opened.app.routing(request, response);
  };
  const stop = async (): Promise<void> => {
    await opened.stop();
    await client.close();
  };
  return Object.assign(handle, { stop: () => (stopped ??= stop()) });
}

const bodyGone =
  'The body of this request was read before Batuta had it. Mount Batuta before body parsers, such as express.json(), or keep them from its path.';

/** Whether there was a body that has already been read. */
function isBodyGone(request: IncomingMessage): boolean {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  return hasBody && request.readableDidRead;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
  response.end(JSON.stringify({ error: { code, message, details: {} } }));
}

/** What the plugin needs of a Fastify instance; versions 4 and 5 have it. */
export interface FastifyHost {
  readonly prefix: string;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: string, parse: (request: unknown, payload: unknown, done: (error: null) => void) => void): unknown;
  addHook(name: 'onClose', hook: () => Promise<void>): unknown;
  all(path: string, handle: (request: HostRequest, reply: HostReply) => void): unknown;
}

/** The parts of a Fastify request that the plugin needs. */
export interface HostRequest {
  readonly raw: IncomingMessage;
}

/** The same for a reply. */
export interface HostReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/**
 * API and dashboard as a Fastify plugin; options as for `requestHandler`, with Fastify's `prefix` in place of `basePath`. They are closed with the instance.
 *
 * @throws as `requestHandler` does
 * @example
 * ```ts
 * await app.register(fastifyPlugin, { prefix: '/batuta', authorize: (request) => roleOf(request) });
 * ```
 */
export async function fastifyPlugin(
  instance: FastifyHost,
  { basePath, ...options }: SiteOptions & { readonly prefix?: string },
): Promise<void> {
  const { prefix: _, ...rest } = options;
  const handler = await requestHandler({ ...rest, basePath: basePath ?? instance.prefix });
  instance.addHook('onClose', () => handler.stop());
  // The body is left to Batuta, whose limits depend on who asks.
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const pass = (request: HostRequest, reply: HostReply): void => {
    reply.hijack();
    handler(request.raw, reply.raw);
  };
  instance.all('/', pass);
  instance.all('/*', pass);
}
