/** What goes wrong below the store, turned into one clear sentence with a code. The only place that does so. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';

/** The URL without its password, also where its query has it: `postgres://user:***@host/db`. */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/[^/@\s]*?):[^/\s]*@/i, '$1:***@').replace(/([?&](?:ssl)?password=)[^&#]*/gi, '$1***');
}

/** Whether another connection holds the lock and the same call may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

/**
 * Whether PostgreSQL was lost or refused for a reason that passes: connection gone, server starting or stopping, too
 * many connections, deadlock. The work may be repeated once its outcome is known.
 */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (/^(08...|57P0[123]|53300|40P01|40001)$/.test(code)) return true;
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/.test(code)) return true;
  return error instanceof Error && /Connection terminated|timeout expired|not queryable|connection error/i.test(error.message);
}

/** Whether PostgreSQL refused a row because there is one with the same key. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/**
 * The `STORE_…` error for anything a driver threw; what already is a BatutaError stays as it is.
 *
 * @param where Path of the file or masked URL, for the message.
 */
export function storeError(error: unknown, where: string): BatutaError {
  return isBatutaError(error) ? error : errorOf(storeCode(error), error, where);
}

/** STORE_READ_ONLY, where the permissions of the file or its folder have been found to be the reason. */
export function readOnlyError(error: unknown, where: string): BatutaError {
  return errorOf('STORE_READ_ONLY', error, where);
}

function errorOf(code: StoreCode, error: unknown, where: string): BatutaError {
  return new BatutaError(code, sentences[code](where, reasonOf(error)), { cause: error, details: { store: where } });
}

/** Some drivers wrap their message, some give none and hold others inside. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  const message = error instanceof Error ? error.message : String(error);
  return /^\w+\("(.*)"\)$/.exec(message)?.[1] ?? message;
}

type StoreCode = Extract<ErrorCode, 'STORE_CORRUPT' | 'STORE_READ_ONLY' | 'STORE_FULL' | 'STORE_UNAVAILABLE' | 'INTERNAL'>;

const sentences: Readonly<Record<StoreCode, (where: string, reason: string) => string>> = {
  STORE_CORRUPT: (where) =>
    `The database ${where} is damaged or is no Batuta database. Restore it from a copy, or move it away so that a new one is made.`,
  STORE_READ_ONLY: (where) =>
    `The database ${where} or its folder cannot be written. Change the permissions, or choose another place with BATUTA_DATABASE_URL.`,
  STORE_FULL: (where) =>
    `The disk that holds the database ${where} is full. Free some space and run it again; what was recorded before is safe.`,
  STORE_UNAVAILABLE: (where, reason) =>
    `The database ${where} cannot be reached or opened (${reason}). Check BATUTA_DATABASE_URL and that the server runs.`,
  INTERNAL: (where, reason) => `The database ${where} refused a statement: ${reason}. This is a bug in Batuta; please report it.`,
};

function storeCode(error: unknown): StoreCode {
  const code = codeOf(error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || /^(XX001|XX002)$/.test(code)) return 'STORE_CORRUPT';
  if (/^(SQLITE_READONLY|SQLITE_PERM)/.test(code) || /^(EACCES|EPERM|EROFS|25006|42501)$/.test(code)) return 'STORE_READ_ONLY';
  if (code.startsWith('SQLITE_FULL') || /^(ENOSPC|EDQUOT|53100)$/.test(code)) return 'STORE_FULL';
  if (
    /^SQLITE_(CANTOPEN|BUSY|LOCKED|IOERR|PROTOCOL|NOLFS|AUTH)/.test(code) ||
    /^(28|3D|53|57|58|08)/.test(code) ||
    /^E[A-Z]+$/.test(code)
  ) {
    return 'STORE_UNAVAILABLE';
  }
  if (isPassing(error) || (error instanceof Error && /ConnectionFailed|SASL|getaddrinfo/.test(error.message))) return 'STORE_UNAVAILABLE';
  return 'INTERNAL';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
