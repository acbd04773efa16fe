/** The HTTP API and the dashboard as one Fastify app over a client: plugins, guard, routes. It does not listen yet. */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { BatutaError } from '../base/errors.ts';
import { addCompression } from './compress.ts';
import { addCorrelation, correlationFields } from './correlation.ts';
import { countRequests } from './count-requests.ts';
import { addDocs } from './docs.ts';
import { answerError, notFound, wrongMethod } from './errors.ts';
import { Failures } from './failures.ts';
import { addGuard } from './guard.ts';
import { Authenticator } from './identity.ts';
import { LiveEvents } from './events/live-events.ts';
import { noteMethods } from './methods.ts';
import { addObserver } from './observer.ts';
import { accessRoutes } from './routes/access.ts';
import { alertRoutes, errorRoutes } from './routes/alerts.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { exportRoutes } from './routes/exports.ts';
import { emissionRoutes } from './routes/emissions.ts';
import { rejectRoutes } from './routes/rejects.ts';
import { backfillRoutes } from './routes/backfills.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { deploymentRoutes } from './routes/deployments.ts';
import { emittedRoutes } from './routes/emitted.ts';
import { eventRoutes } from './routes/events.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { flowRoutes } from './routes/flows.ts';
import { healthRoutes } from './routes/health.ts';
import { cacheRoutes } from './routes/cache.ts';
import { decideRoutes } from './routes/decide.ts';
import { inboxRoutes } from './routes/inbox.ts';
import { limitRoutes } from './routes/limits.ts';
import { metricRoutes, monitoringRoutes } from './routes/monitoring.ts';
import { databaseCheck } from '../monitor/health/fleet-checks.ts';
import { Health } from '../monitor/health/health.ts';
import { serverMetrics } from './server-metrics.ts';
import { reportRoutes } from './routes/reports.ts';
import { logRoutes } from './routes/logs.ts';
import { runRoutes } from './routes/runs.ts';
import { runChangeRoutes } from './routes/run-changes.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { connectionRoutes, secretRoutes, variableRoutes } from './routes/secrets.ts';
import { sessionRoutes } from './routes/session.ts';
import { taskRoutes } from './routes/tasks.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { type App, type AppOptions, type RouteParts, usualBounds } from './parts.ts';
import { readBodies } from './read-body.ts';
import { addSite } from './site.ts';

/** How long running requests may take on stop, ms. */
const graceMs = 10_000;
/** Longest id or name in an address for the router, characters; the schemas restrict it further, with clear messages. */
const maxParamChars = 16_384;

/** The app, ready to listen or for `inject`. Closing it ends its streams; the client stays open. */
export async function makeApp(options: AppOptions): Promise<App> {
  const { client, log, clock, random, loopback, trustProxy, basePath = '' } = options;
  const { logger } = log;
  const bounds = { ...usualBounds, ...options.bounds };
  const app = fastify({
    logger: false,
    // A busy machine takes longer than the default of 10 s to load the server's parts.
    pluginTimeout: 60_000,
    bodyLimit: bounds.maxBodyBytes,
    requestTimeout: bounds.requestTimeoutMs,
    http: {
      headersTimeout: bounds.headersTimeoutMs,
      requestTimeout: bounds.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, bounds.headersTimeoutMs),
    },
    trustProxy: trustProxy ? trustNearest : false,
    // A proxy in front may have removed it.
    rewriteUrl: ({ url = '/' }) => withoutBase(url, basePath),
    routerOptions: { maxParamLength: maxParamChars, ignoreDuplicateSlashes: false },
    // Before that, running requests are waited for.
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply: FastifyReply) => answerError(logger, error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // The schemas of answers are documentation; checking each answer would cost more than making it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error, request, reply) => answerError(logger, error, request, reply));
  const methodsOf = noteMethods(app);
  const refuseAddress = ({ method, url }: FastifyRequest, reply: FastifyReply): never => {
    const methods = methodsOf(url.split('?', 1)[0] ?? '');
    if (methods.length === 0) throw notFound(method, url);
    void reply.header('allow', methods.join(', '));
    throw wrongMethod(method, methods);
  };
  app.setNotFoundHandler(refuseAddress);

  readBodies(app, Math.max(bounds.maxBodyBytes, bounds.maxBulkBodyBytes));

  const authenticator = new Authenticator(client.keys, loopback, new Failures(clock, bounds.failuresPerMinute), options.authorize ?? null);
  const { store } = client.engine.services;
  const live = new LiveEvents({ store, clock, random, logger, authenticator, beatMs: options.beatMs, bounds: bounds.streams });
  // An answer is for this caller, now.
  app.addHook('onRequest', async ({ url }, reply) => {
    if (url.startsWith('/api')) void reply.header('cache-control', 'no-store');
  });
  await app.register(cookie);
  await app.register(helmet, securityHeaders);
  addGuard(app, { authenticator, audit: client.audit, logger });
  addObserver(app);
  // Before the body is read: its errors do not matter if no route takes it.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) refuseAddress(request, reply);
  });
  await app.register(rateLimit, {
    global: false,
    hook: 'preHandler',
    keyGenerator: (request) => request.identity?.keyId ?? request.ip,
    errorResponseBuilder: (_request, { after }) => new BatutaError('RATE_LIMITED', `Too many requests; try again in ${after}.`),
  });
  await addCompression(app);
  addCorrelation(app);
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, identity } = request;
    const answered = { method, route: routeOptions.url ?? null, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    logger.debug({ ...answered, who: identity?.who ?? null, ...correlationFields(request) }, 'Answered.');
  });
  const underWay = countRequests(app);
  const metrics = serverMetrics(options, live);
  app.addHook('preClose', async () => {
    metrics.stop();
    await live.close();
    await underWay.done(clock, graceMs);
  });

  await addDocs(app, basePath);
  const parts: RouteParts = {
    ...{
      client,
      clock,
      settings: options.settings,
      flows: options.flows,
      traceUrl: options.traceUrl ?? null,
      basePath,
      authenticator,
      live,
      bounds,
    },
    metrics: () => metrics.read(),
    health: options.health ?? new Health([databaseCheck(store, clock)], clock),
  };
  for (const addRoutes of routes) addRoutes(app, parts);
  await addSite(app, options.siteFolder, basePath);
  await app.ready();
  return app;
}

/** The internal address of a requested one. Source: `rewriteUrl` of Fastify, which keeps the other as `originalUrl`. */
function withoutBase(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** Only the directly connected proxy is trusted: earlier entries in the headers came from its caller. */
function trustNearest(_address: string, hop: number): boolean {
  return hop === 0;
}

const routes: readonly ((app: App, parts: RouteParts) => void)[] = [
  healthRoutes,
  metricRoutes,
  monitoringRoutes,
  sessionRoutes,
  runRoutes,
  runChangeRoutes,
  bulkRoutes,
  taskRoutes,
  logRoutes,
  artifactRoutes,
  rejectRoutes,
  emissionRoutes,
  exportRoutes,
  flowRoutes,
  deploymentRoutes,
  scheduleRoutes,
  fleetRoutes,
  reportRoutes,
  backfillRoutes,
  limitRoutes,
  cacheRoutes,
  inboxRoutes,
  decideRoutes,
  secretRoutes,
  variableRoutes,
  connectionRoutes,
  accessRoutes,
  eventRoutes,
  emittedRoutes,
  webhookRoutes,
  alertRoutes,
  errorRoutes,
];

/** Nothing from another origin is loaded, run, framed or sent to. */
const securityHeaders = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      // No style elements either: the dashboard keeps all it can in files, and sets data-dependent styles by script, element by element.
      // The hash is that of the one element in the documentation page, which comes from a package.
      styleSrc: ["'self'", "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      workerSrc: ["'self'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // Only the proxy knows whether a name is served by https alone.
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
} as const;
