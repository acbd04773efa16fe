/** Requests to the server: one function, one kind of error. Only the page's own origin is contacted. */

/** A refusal of the server, or an unreachable server (`status` 0, code `SERVER_UNREACHABLE`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details: unknown = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** Values of a query string; a list repeats its name, undefined and empty text are left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

interface Request {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Path prefix of the dashboard and the API, without a trailing slash; from the page's base. */
export const basePath = basePathOf(globalThis);

/** Tests have no document. */
function basePathOf(scope: object): string {
  if (!('document' in scope)) return '';
  const { baseURI } = scope.document as { readonly baseURI: string };
  return new URL(baseURI).pathname.replace(/\/$/, '');
}

let csrf: string | null = null;

/** Stores the CSRF token that every change has to send; it arrives with `/api/me`. */
export function keepCsrf(token: string | null): void {
  csrf = token;
}

/** GET `/api<path>`. @throws ApiError */
export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return ask<T>('GET', path, { query, signal });
}

/** A change: POST, PUT or DELETE `/api<path>`. Undefined if the answer is empty. @throws ApiError */
export function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return ask<T>(method, path, { body });
}

/** `/api<path>?…`, for links such as a download. */
export function apiAddress(path: string, query?: Query): string {
  const text = queryText(query ?? {});
  return `${basePath}/api${path}${text === '' ? '' : `?${text}`}`;
}

/** The query string of these values, without the question mark. */
export function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    for (const item of Array.isArray(value) ? value : [value]) parameters.append(name, String(item));
  }
  return parameters.toString();
}

async function ask<T>(method: string, path: string, { query, body, signal }: Request): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrf !== null) headers['x-batuta-csrf'] = csrf;
  const response = await fetch(apiAddress(path, query), {
    method,
    headers,
    credentials: 'same-origin',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    throw new ApiError(0, 'SERVER_UNREACHABLE', 'The server does not answer. It may be restarting; the page retries by itself.');
  });
  const text = await response.text();
  const answer = text === '' ? undefined : parse(text);
  if (response.ok) return answer as T;
  throw errorOf(response.status, answer);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, answer: unknown): ApiError {
  const error = (answer as { error?: { code?: unknown; message?: unknown; details?: unknown } } | undefined)?.error;
  if (typeof error?.code === 'string') return new ApiError(status, error.code, String(error.message ?? error.code), error.details ?? null);
  const message = status >= 502 ? 'Something between this page and the server does not let it through.' : `The server answered ${status}.`;
  return new ApiError(status, `HTTP_${status}`, message);
}
