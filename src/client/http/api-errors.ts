/** Failed requests to a server, as errors that say what to do. */
import { BatutaError, type ErrorCode, errorCodes, type ErrorDetails } from '../../base/errors.ts';
import { cutText } from '../../base/cut-text.ts';
import { programName } from '../../base/program-name.ts';

/** A server as named in errors. */
export interface Server {
  /** Without a trailing slash. */
  readonly url: string;
  /** Whether a key is sent to it. */
  readonly hasKey: boolean;
}

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly details?: ErrorDetails };
}

/** Longest shown part of a foreign answer, characters. */
const shownChars = 200;

/** The error that an answer carries. Never throws. */
export async function errorOfAnswer(answer: Response, server: Server): Promise<BatutaError> {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const target = answer.headers.get('location') ?? 'another address';
    return new BatutaError(
      'SERVER_UNREACHABLE',
      `The server at ${server.url} redirects to ${target}. Set BATUTA_API_URL to where it really is.`,
    );
  }
  const text = await answer.text().catch(() => '');
  const body = readBody(text);
  if (body === null) {
    const said = text.trim() === '' ? '' : `: ${cutText(text.trim().replace(/\s+/g, ' '), shownChars)}`;
    return new BatutaError(
      'SERVER_UNREACHABLE',
      `The server at ${server.url} is not a Batuta server (status ${status}${said}). Check BATUTA_API_URL.`,
    );
  }
  const { code, message, details = {} } = body.error;
  const known = knownCode(code, status);
  return new BatutaError(known, `${message}${hintFor(known, message, server)}`, { details });
}

/** The error of a request that got no answer. */
export function unreachable(server: Server, cause: unknown): BatutaError {
  return new BatutaError(
    'SERVER_UNREACHABLE',
    `The server at ${server.url} does not answer (${reasonOf(cause)}). Check BATUTA_API_URL and that the server runs; without BATUTA_API_URL the database is opened directly.`,
    { cause, details: { url: server.url, ...placeOf(cause) } },
  );
}

/** Whether the request certainly never arrived, so that even a non-repeatable one may be sent again. */
export function isNeverSent(error: unknown): boolean {
  const { code } = placeOf(error);
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

function reasonOf(cause: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection lost',
    EPIPE: 'connection lost',
    UND_ERR_SOCKET: 'connection lost',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name of the host cannot be looked up',
    UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
    UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
    UND_ERR_BODY_TIMEOUT: 'no answer in time',
  };
  if (cause instanceof Error && cause.name === 'TimeoutError') return 'no answer in time';
  const { code, address } = placeOf(cause);
  if (code === undefined) return deepest(cause);
  const reason = reasons[code];
  const what = [code, address].filter((part) => part !== undefined).join(' ');
  return reason === undefined ? `${deepest(cause)}, ${what}` : `${reason}: ${what}`;
}

/** The innermost cause; `fetch failed` itself says nothing. */
function deepest(error: unknown): string {
  let said = String(error);
  for (let at: unknown = error; at instanceof Error; at = at instanceof AggregateError ? at.errors[0] : at.cause)
    if (at.message !== '') said = at.message;
  return said;
}

/** The code of the system or the library below, found anywhere among the causes, and its address. */
function placeOf(error: unknown): { readonly code?: string; readonly address?: string } {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof AggregateError && at.errors[0] instanceof Error) return placeOf(at.errors[0]);
    if (!('code' in at) || typeof at.code !== 'string') continue;
    const { address, hostname, port } = at as { readonly address?: unknown; readonly hostname?: unknown; readonly port?: unknown };
    const host = typeof address === 'string' ? address : hostname;
    if (typeof host !== 'string') return { code: at.code };
    return { code: at.code, address: typeof port === 'number' ? `${host.includes(':') ? `[${host}]` : host}:${port}` : host };
  }
  return {};
}

function readBody(text: string): ErrorBody | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('error' in body)) return null;
    const { error } = body;
    if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return null;
    return typeof error.code === 'string' && typeof error.message === 'string' ? (body as ErrorBody) : null;
  } catch {
    return null;
  }
}

/** A newer server may use unknown codes; then the status determines the kind of error. */
function knownCode(code: string, status: number): ErrorCode {
  if (Object.hasOwn(errorCodes, code)) return code as ErrorCode;
  return status >= 500 ? 'INTERNAL' : 'REQUEST_INVALID';
}

function hintFor(code: ErrorCode, message: string, { hasKey }: Server): string {
  if (message.includes('BATUTA_API_KEY')) return '';
  if (code === 'UNAUTHENTICATED') {
    return hasKey
      ? ` The key of BATUTA_API_KEY is unknown to it, revoked or expired; have an admin make another with ${programName()} key create.`
      : ` Set BATUTA_API_KEY to a key that an admin made with ${programName()} key create.`;
  }
  return code === 'FORBIDDEN' ? ' Use a key of a higher role in BATUTA_API_KEY.' : '';
}
