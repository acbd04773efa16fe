/** Keeps secrets out of log lines, by field name. */
import { stdSerializers } from 'pino';
import { isSecretName, redacted } from './secret-names.ts';

/** `tokens: 412` is a count, `tokens: ['…']` is not. */
function holdsSecret(name: string, value: unknown): boolean {
  return isSecretName(name) || (name.toLowerCase() === 'tokens' && typeof value !== 'number');
}

/** Deeper values are not checked but left out. */
const maxDepth = 12;
/** Fields and list entries of one line, more than a line can hold; the rest is counted. One object or list takes at most half of what is left. */
const maxEntries = 100_000;
/** Bytes (a Buffer, a typed array) that are written out; more are named by their size. An error may carry the whole body of a response. */
const maxBytes = 1_000;

/** One line being copied. */
interface Walk {
  readonly seen: Map<object, unknown>;
  entriesLeft: number;
}

/** Names that pino itself replaces in the bindings of child loggers, where it cannot check every name. */
export const secretBindings: readonly string[] = [
  'password',
  'passwd',
  'token',
  'accessToken',
  'authorization',
  'Authorization',
  'apiKey',
  'secret',
  'cookie',
];

/**
 * A copy of a log line's fields, as in JSON, with secrets replaced by `[redacted]`.
 *
 * Errors become `{ type, message, stack, … }` anywhere. Never throws: what cannot be read is named instead.
 *
 * @param most entries that are copied; the rest is counted
 */
export function redactSecrets(fields: Record<string, unknown>, most = maxEntries): Record<string, unknown> {
  return copyEntries(fields, { seen: new Map(), entriesLeft: most }, 0);
}

function copyValue(value: unknown, walk: Walk, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value))
    return value.byteLength <= maxBytes ? value : `[${value.constructor.name} of ${value.byteLength.toLocaleString('en-US')} bytes]`;
  if (walk.seen.has(value)) return walk.seen.get(value);
  if (depth > maxDepth) return '[too deep]';
  if (value instanceof Error) return copyEntries(stdSerializers.err(value), walk, depth, value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  if (!Array.isArray(value)) return copyEntries(value, walk, depth);
  const copy: unknown[] = [];
  walk.seen.set(value, copy);
  const most = roomIn(walk);
  for (const item of value) {
    if (copy.length >= most || walk.entriesLeft-- <= 0) {
      copy.push(notWritten(value.length - copy.length));
      break;
    }
    copy.push(copyValue(item, walk, depth + 1));
  }
  return copy;
}

function roomIn({ entriesLeft }: Walk): number {
  return Math.ceil(Math.max(0, entriesLeft) / 2);
}

function notWritten(count: number): string {
  return `[${count.toLocaleString('en-US')} more]`;
}

function isLogin(source: object): source is { readonly name: string } {
  if (!('name' in source) || !('args' in source) || typeof source.name !== 'string' || !Array.isArray(source.args)) return false;
  return /^auth$/i.test(source.name) || (/^hello$/i.test(source.name) && source.args.some((arg) => /^auth$/i.test(String(arg))));
}

function copyEntries(source: object, walk: Walk, depth: number, standsFor: object = source): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  walk.seen.set(standsFor, copy);
  // ioredis puts a refused command on its errors like this.
  if (isLogin(source)) return { name: source.name, args: redacted };
  const names = Object.keys(source);
  const most = roomIn(walk);
  for (const [at, name] of names.entries()) {
    if (at >= most || walk.entriesLeft-- <= 0) {
      copy['…'] = notWritten(names.length - at);
      break;
    }
    try {
      const value: unknown = (source as Record<string, unknown>)[name];
      copy[name] = holdsSecret(name, value) && value !== null && value !== undefined ? redacted : copyValue(value, walk, depth + 1);
    } catch (error) {
      copy[name] = `[unreadable: ${error instanceof Error ? error.message : String(error)}]`;
    }
  }
  return copy;
}
