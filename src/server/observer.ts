/**
 * What the role observer gets: every answer is filtered by the schema of its route, which marks what is not a payload (`hide-payloads.ts`).
 *
 * Three leaks are closed here: the answer, the message of an error (which may list runs by name), and filters, which could probe a hidden
 * value.
 */
import type { FastifyRequest } from 'fastify';
import { BatutaError, type ErrorCode, errorCodes, type ErrorDetails } from '../base/errors.ts';
import { hidesPayloads } from '../model/access.ts';
import { hidePayloads } from './hide-payloads.ts';
import type { Identity } from './identity.ts';
import type { App } from './parts.ts';
import { answers } from './schemas/answers.ts';

/** Routes without a schema whose answers hold no payloads: the API description, and events, filtered by `events/observed.ts`. */
const withoutSchema = /^GET \/api\/(openapi\.json|docs.*|events)$/;

/** Query fields whose answer depends on nothing hidden. */
const openFields: ReadonlySet<string> = new Set(
  'backfill buckets cursor deployment flow from graph limit name parent paused pinned queue run schedule since state task to until values'.split(
    ' ',
  ),
);
/** Fields that depend on nothing hidden here only: names and tags of deployments are shown. */
const openFieldsOf: Readonly<Record<string, readonly string[]>> = { 'GET /api/deployments': ['search', 'tag'] };

/** Codes whose messages depend on the request alone, or on nothing. */
const openCodes: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'REQUEST_INVALID',
  'METHOD_NOT_ALLOWED',
  'FILTER_INVALID',
  'SCHEDULE_INVALID',
  'RATE_LIMITED',
  'SHUTDOWN',
  'INTERNAL',
]);

/** The sentence for what an observer may not have. */
export function refusalOf({ role, who }: Pick<Identity, 'role' | 'who'>, needs: string): string {
  return needs === 'viewer' && hidesPayloads(role)
    ? `The role observer sees states, times and graphs, but no payloads and no log text; this needs the role viewer, and ${who} has the role observer.`
    : `This needs the role ${needs}; ${who} has the role ${role}.`;
}

/** Adds it to an app without routes, after the guard. */
export function addObserver(app: App): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access?.needs !== 'observer') return;
    for (const one of [method].flat()) requireSchema(`${one === 'HEAD' ? 'GET' : one} ${url}`);
  });
  app.addHook('preHandler', async (request) => {
    if (request.identity !== null && hidesPayloads(request.identity.role)) refuseFilters(request);
  });
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { identity } = request;
    if (identity === null || !hidesPayloads(identity.role) || reply.statusCode >= 400) return payload;
    const row = rowOf(request);
    if (withoutSchema.test(row)) return payload;
    const schema = answers[row];
    // Every route open to observers has a schema; an answer without one would be all payload.
    return schema === undefined ? null : hidePayloads(schema, payload);
  });
}

/** What a caller sees of an error: for most codes an observer gets the generic message. */
export function saidTo<E extends { readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails }>(
  request: Pick<FastifyRequest, 'identity'>,
  error: E,
): E {
  if (!request.identity || !hidesPayloads(request.identity.role) || openCodes.has(error.code)) return error;
  return { ...error, message: errorCodes[error.code].summary, details: {} };
}

function requireSchema(row: string): void {
  if (answers[row] === undefined && !withoutSchema.test(row))
    throw new Error(
      `The role observer may ask ${row}, but no schema in src/server/schemas/answers.ts says what of its answer is no payload.`,
    );
}

function refuseFilters(request: FastifyRequest): void {
  const row = rowOf(request);
  const closed = Object.keys(request.query ?? {}).filter((name) => !openFields.has(name) && openFieldsOf[row]?.includes(name) !== true);
  if (closed.length === 0) return;
  throw new BatutaError(
    'FORBIDDEN',
    `The role observer cannot filter by ${closed.join(', ')}: it would reveal what is hidden. This needs the role viewer.`,
    { details: { needs: 'viewer', has: 'observer' } },
  );
}

/** The name in the access table. */
function rowOf({ method, routeOptions }: FastifyRequest): string {
  return `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url ?? ''}`;
}
