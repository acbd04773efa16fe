/** Keeps secrets out of log lines, by field name. */
import { stdSerializers } from 'pino';
import { isSecretName, redacted } from './secret-names.ts';

/** `tokens: 412` is a count, `tokens: ['…']` is not. */
function holdsSecret(name: string, value: unknown): boolean {
  return isSecretName(name) || (name.toLowerCase() === 'tokens' && typeof value !== 'number');
}

/** Deeper values are not checked but left out. */
const maxDepth = 12;

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
 */
export function redactSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return copyEntries(fields, new Map(), 0);
}

function copyValue(value: unknown, seen: Map<object, unknown>, depth: number): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (seen.has(value)) return seen.get(value);
  if (depth > maxDepth) return '[too deep]';
  if (value instanceof Error) return copyEntries(stdSerializers.err(value), seen, depth, value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  if (!Array.isArray(value)) return copyEntries(value, seen, depth);
  const copy: unknown[] = [];
  seen.set(value, copy);
  for (const item of value) copy.push(copyValue(item, seen, depth + 1));
  return copy;
}

function isLogin(source: object): source is { readonly name: string } {
  if (!('name' in source) || !('args' in source) || typeof source.name !== 'string' || !Array.isArray(source.args)) return false;
  return /^auth$/i.test(source.name) || (/^hello$/i.test(source.name) && source.args.some((arg) => /^auth$/i.test(String(arg))));
}

function copyEntries(source: object, seen: Map<object, unknown>, depth: number, standsFor: object = source): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  seen.set(standsFor, copy);
  // ioredis puts a refused command on its errors like this.
  if (isLogin(source)) return { name: source.name, args: redacted };
  for (const name of Object.keys(source)) {
    try {
      const value: unknown = (source as Record<string, unknown>)[name];
      copy[name] = holdsSecret(name, value) && value !== null && value !== undefined ? redacted : copyValue(value, seen, depth + 1);
    } catch (error) {
      copy[name] = `[unreadable: ${error instanceof Error ? error.message : String(error)}]`;
    }
  }
  return copy;
}
