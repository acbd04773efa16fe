/** Turns errors below the store into one clear sentence with a code. The only place that does so. */
import { BatutaError, isBatutaError, type ErrorCode } from '../base/errors.ts';

/** Whether another connection holds the lock and the same call may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

/**
 * Whether PostgreSQL was lost or refused for a transient reason: connection gone, server starting or stopping, too many connections,
 * deadlock. The work may be repeated once its outcome is known.
 */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (/^(08...|57P0[123]|53300|40P01|40001)$/.test(code)) return true;
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/.test(code)) return true;
  return error instanceof Error && /Connection terminated|timeout expired|not queryable|connection error/i.test(error.message);
}

/** Whether PostgreSQL refused a row because its key exists. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** Whether PostgreSQL does not know a prepared statement, or knows another by its name: a pooler is in between. */
export function isLostStatement(error: unknown): boolean {
  const isOther = error instanceof Error && /bind message supplies/.test(error.message);
  return isOther || /^(26000|42P05)$/.test(codeOf(error));
}

/** Whether a server was asked for TLS but has none. */
export function isTlsMissing(error: unknown): boolean {
  const cause = isBatutaError(error) ? error.cause : error;
  return cause instanceof Error && /does not support SSL/.test(cause.message);
}

/** The error for what a driver threw before PostgreSQL itself answered; not the fault of a statement. */
export function openingError(error: unknown, where: string): BatutaError {
  const told = storeError(error, where);
  if (told.code !== 'INTERNAL' || /^[0-9A-Z]{5}$/.test(codeOf(told.cause))) return told;
  return errorOf('STORE_UNAVAILABLE', told.cause, where);
}

/**
 * The `STORE_…` error for anything a driver threw; a BatutaError is returned unchanged.
 *
 * @param where Path of the file or masked URL, for the message.
 */
export function storeError(error: unknown, where: string): BatutaError {
  return isBatutaError(error) ? error : errorOf(storeCode(error), error, where);
}

/** STORE_READ_ONLY, once the permissions of the file or its folder are known to be the reason. */
export function readOnlyError(error: unknown, where: string): BatutaError {
  return errorOf('STORE_READ_ONLY', error, where);
}

function errorOf(code: StoreCode, error: unknown, where: string): BatutaError {
  const sentence = postgresSentences.find(([fits]) => fits(error))?.[1] ?? sentences[code];
  return new BatutaError(code, sentence(where, reasonOf(error)), { cause: error, details: { store: where } });
}

/** Some drivers wrap their message; some have none and hold others inside. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  const message = error instanceof Error ? error.message : String(error);
  return /^\w+\("(.*)"\)$/.exec(message)?.[1] ?? message;
}

type StoreCode = Extract<
  ErrorCode,
  'CONFIG_INVALID' | 'STORE_CORRUPT' | 'STORE_READ_ONLY' | 'STORE_FULL' | 'STORE_UNAVAILABLE' | 'INTERNAL'
>;

type Sentence = (where: string, reason: string) => string;

/** What to do depends on what was wrong with PostgreSQL, or the way to it. Source: PostgreSQL, appendix A, SQLSTATEs. */
const postgresSentences: readonly (readonly [(error: unknown) => boolean, Sentence])[] = [
  [
    hasCode('42501'),
    (where, reason) =>
      `The role of the database ${where} lacks a right (${reason}). Grant it USAGE and CREATE on its schema, and let it own the tables of Batuta.`,
  ],
  [
    hasCode('25006'),
    (where, reason) => `The database ${where} can only be read (${reason}). Set BATUTA_DATABASE_URL to the primary, not a replica.`,
  ],
  [
    hasCode('3F000'),
    (where, reason) =>
      `The database ${where} has no schema for the tables of Batuta (${reason}). Create one that the search_path of the role names, and grant it USAGE and CREATE.`,
  ],
  [
    hasCode('22P05'),
    (where, reason) => `The database ${where} cannot hold a text (${reason}). Move Batuta to a database whose encoding is UTF8.`,
  ],
  [
    (error) => error instanceof Error && /does not support SSL/.test(error.message),
    (where) =>
      `The database ${where} does not offer TLS, which its address requires. Enable it on the server, or leave out sslmode if the network is safe.`,
  ],
  [
    isCertificateError,
    (where, reason) =>
      `The certificate of the database ${where} is not trusted (${reason}). Set the certificate authority with sslrootcert=<file>, or accept any with sslmode=no-verify.`,
  ],
  [
    (error) => error instanceof Error && /statement pooling mode/.test(error.message),
    (where) =>
      `The database ${where} goes through a pooler by statement, which allows no transactions. Set its pool_mode to transaction or session.`,
  ],
];

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => codeOf(error) === code;
}

function isCertificateError(error: unknown): boolean {
  return /CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|^ERR_TLS_CERT/.test(codeOf(error));
}

const sentences: Readonly<Record<StoreCode, Sentence>> = {
  CONFIG_INVALID: (where, reason) => `The database ${where} cannot be used (${reason}).`,
  STORE_CORRUPT: (where) =>
    `The database ${where} is damaged or is not a Batuta database. Restore it from a backup, or move it away so that a new one is made.`,
  STORE_READ_ONLY: (where) =>
    `The database ${where} or its folder cannot be written. Change the permissions, or choose another place with BATUTA_DATABASE_URL.`,
  STORE_FULL: (where) =>
    `The disk that holds the database ${where} is full. Free some space and run it again; what was recorded before is safe.`,
  STORE_UNAVAILABLE: (where, reason) =>
    `The database ${where} cannot be reached or opened (${reason}). Check BATUTA_DATABASE_URL and that the server is running.`,
  INTERNAL: (where, reason) => `The database ${where} refused a statement: ${reason}. This is a bug in Batuta; please report it.`,
};

function storeCode(error: unknown): StoreCode {
  const code = codeOf(error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || /^(XX001|XX002)$/.test(code)) return 'STORE_CORRUPT';
  if (/^(SQLITE_READONLY|SQLITE_PERM)/.test(code) || /^(EACCES|EPERM|EROFS|25006|42501)$/.test(code)) return 'STORE_READ_ONLY';
  if (code === '22P05') return 'CONFIG_INVALID';
  if (code.startsWith('SQLITE_FULL') || /^(ENOSPC|EDQUOT|53100)$/.test(code)) return 'STORE_FULL';
  if (
    /^SQLITE_(CANTOPEN|BUSY|LOCKED|IOERR|PROTOCOL|NOLFS|AUTH)/.test(code) ||
    /^(28|3D|3F|53|57|58|08)/.test(code) ||
    isCertificateError(error) ||
    /^E[A-Z]+$/.test(code)
  ) {
    return 'STORE_UNAVAILABLE';
  }
  if (
    isPassing(error) ||
    (error instanceof Error && /ConnectionFailed|SASL|getaddrinfo|SSL|TLS|statement pooling mode/.test(error.message))
  )
    return 'STORE_UNAVAILABLE';
  return 'INTERNAL';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
