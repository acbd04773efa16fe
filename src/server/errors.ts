/** Errors as sent by the API: `{ error: { code, message, details } }` with the status of their code. Internal errors stay in the log. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { BatutaError, type ErrorCode, type ErrorDetails, isBatutaError } from '../base/errors.ts';
import { correlationFields } from './correlation.ts';
import { cutText } from '../base/cut-text.ts';
import { saidTo } from './observer.ts';

/** Codes other than 400 and 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  RUN_NOT_FOUND: 404,
  FLOW_NOT_FOUND: 404,
  DEPLOYMENT_NOT_FOUND: 404,
  BACKFILL_NOT_FOUND: 404,
  LIMIT_NOT_FOUND: 404,
  CACHE_ENTRY_NOT_FOUND: 404,
  ARTIFACT_NOT_FOUND: 404,
  INBOX_ITEM_NOT_FOUND: 404,
  DECISION_LINK_INVALID: 404,
  DECISION_LINK_NOT_YOURS: 403,
  DECISION_LINK_EXPIRED: 410,
  DECISION_REFUSED: 409,
  ALERT_DECLARED: 409,
  KEY_NOT_FOUND: 404,
  EVENT_NOT_FOUND: 404,
  WEBHOOK_NOT_FOUND: 404,
  WEBHOOK_REFUSED: 401,
  SECRET_NOT_FOUND: 404,
  VARIABLE_NOT_FOUND: 404,
  CONNECTION_NOT_FOUND: 404,
  RUN_REPORTED: 409,
  RUN_STATE_REFUSED: 409,
  RUN_PINNED: 409,
  REPORTER_UNKNOWN: 404,
  REPORTER_REPLACED: 409,
  REPORT_GAP: 409,
  RUN_OWNED: 409,
  RESULT_MISSING: 410,
  // The flow files and keys of the server: another request would not help.
  FLOW_AMBIGUOUS: 422,
  FLOW_DUPLICATE: 422,
  FLOW_EMPTY: 422,
  TASK_DUPLICATE: 422,
  NEED_UNKNOWN: 422,
  GRAPH_CYCLE: 422,
  DECORATOR_MISPLACED: 422,
  PIPELINE_INVALID: 422,
  PIPELINE_CYCLE: 422,
  STEP_UNKNOWN: 422,
  FILE_NOT_FOUND: 422,
  FILE_NOT_COMPILED: 422,
  FILE_NOT_LOADED: 422,
  SOURCE_REFUSED: 422,
  ISOLATION_UNAVAILABLE: 422,
  PAYLOAD_UNREADABLE: 422,
  SECRET_KEY_MISSING: 422,
  SECRET_KEY_WRONG: 422,
  SECRET_UNREADABLE: 422,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  STORE_READ_ONLY: 503,
  STORE_FULL: 503,
  STORE_CORRUPT: 503,
  STORE_NEWER: 503,
  BROKER_UNAVAILABLE: 503,
  WEBHOOK_UNVERIFIABLE: 503,
  CONFIG_INVALID: 503,
  SHUTDOWN: 503,
  INTERNAL: 500,
};

/** HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 400;
}

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails };
}

/** The answer to an error. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
}

/** The answer to anything thrown. It holds nothing internal: no stack, no message of a foreign library. */
export function answerOf(error: unknown): ErrorAnswer {
  if (isBatutaError(error)) {
    const { code, message, details } = error;
    if (code === 'INTERNAL') return internal;
    const unready = unreadyMessages[code];
    if (unready !== undefined) return { status: statusOf(code), body: { error: { code, message: unready, details: {} } } };
    return { status: statusOf(code), body: { error: { code, message, details } } };
  }
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  const { statusCode, code } = (error ?? {}) as Partial<FastifyError>;
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return internal;
  const message = fastifyMessages[code ?? ''] ?? 'The request is invalid: its body must be JSON, and its address well formed.';
  return { status: statusCode, body: { error: { code: 'REQUEST_INVALID', message, details: {} } } };
}

/** Answers a request with an error, and logs it if it is internal. */
export function answerError(logger: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body: whole } = answerOf(error);
  const body: ErrorBody = { error: saidTo(request, whole.error) };
  if (status >= 500)
    logger.error(
      { err: error, method: request.method, route: request.routeOptions.url ?? null, ...correlationFields(request) },
      'A request failed.',
    );
  const { retryAfterSeconds } = body.error.details;
  if (status === 429 && typeof retryAfterSeconds === 'number') void reply.header('retry-after', String(retryAfterSeconds));
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="batuta"');
  // Set here as well: the framework's own refusals go through no hook.
  void reply.header('x-content-type-options', 'nosniff');
  void reply.code(status).type('application/json; charset=utf-8').send(body);
}

/** The error of an unknown address. */
export function notFound(method: string, url: string): BatutaError {
  const path = url.split('?', 1)[0] ?? '';
  return new BatutaError('NOT_FOUND', `The API has no ${method} ${cutText(path, 200)}. See /api/docs for all routes.`);
}

/** The error of a known address that takes other methods. */
export function wrongMethod(method: string, methods: readonly string[]): BatutaError {
  return new BatutaError('METHOD_NOT_ALLOWED', `This address does not take ${method}, but ${methods.join(', ')}.`, {
    details: { methods },
  });
}

const internal: ErrorAnswer = {
  status: 500,
  body: { error: { code: 'INTERNAL', message: 'Something went wrong in the server; its log says what.', details: {} } },
};

/** Where the database and the broker are is not for callers, who may have presented no key: without the database none can be checked. */
const unreadyMessages: Partial<Record<ErrorCode, string>> = {
  STORE_UNAVAILABLE: 'The database does not answer; the log of the server says why.',
  STORE_READ_ONLY: 'The database takes no changes; the log of the server says why.',
  STORE_FULL: 'The database has no space left; the log of the server says more.',
  STORE_CORRUPT: 'The database is damaged; the log of the server says more.',
  BROKER_UNAVAILABLE: 'The broker does not answer; the log of the server says why.',
};

const fastifyMessages: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE:
    'The body of the request is too large; BATUTA_MAX_BODY and, for many runs, BATUTA_MAX_BULK_BODY of the server say what it takes.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body of the request must be JSON, with content-type: application/json.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body of the request is empty, although its content-type says JSON.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body of the request is no JSON, or holds a key that is not taken (__proto__, constructor).',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body of the request is not as long as it says.',
};

function invalidRequest(error: { readonly validation: readonly unknown[]; readonly validationContext?: string }): ErrorAnswer {
  const where = { body: 'body', querystring: 'query', params: 'address', headers: 'headers' }[error.validationContext ?? ''] ?? 'request';
  const issues = error.validation.slice(0, 20).map((issue) => {
    const { instancePath = '', message = 'is not allowed' } = issue as { readonly instancePath?: string; readonly message?: string };
    return { path: cutText(instancePath.replace(/^\//, '').replaceAll('/', '.'), 200), message: cutText(message, 500) };
  });
  const told = issues.slice(0, 3).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const message = `The ${where} of the request is invalid: ${told.join('; ')}.`.replace(/\.\.$/, '.');
  return { status: 400, body: { error: { code: 'REQUEST_INVALID', message, details: { in: where, issues } } } };
}
