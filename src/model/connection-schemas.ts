/** Schemas of connections by kind. Separate: zod is slow to load and few need this. */
import { z } from 'zod';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { ConnectionKind } from './connection-kinds.ts';

const host = z.string().min(1).max(300);
const port = z.coerce.number().int().min(1).max(65_535);
const word = z.string().min(1).max(1_000);
const secret = z.string().min(1);

/** Fields of each kind. */
export const connectionSchemas = {
  postgres: z.strictObject({
    host,
    port: port.default(5432),
    database: word,
    user: word,
    password: secret.optional(),
    /** As in the address: `require`, `verify-full`, `disable` … */
    sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).optional(),
  }),
  mysql: z.strictObject({ host, port: port.default(3306), database: word, user: word, password: secret.optional() }),
  http: z.strictObject({
    baseUrl: z.url({ protocol: /^https?$/ }),
    user: word.optional(),
    password: secret.optional(),
    /** Sent as `Authorization: Bearer …`. */
    token: secret.optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  s3: z.strictObject({
    bucket: word,
    region: word.optional(),
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    accessKeyId: word.optional(),
    secretAccessKey: secret.optional(),
    sessionToken: secret.optional(),
    forcePathStyle: z.boolean().optional(),
  }),
  /** Any fields. */
  generic: z.record(z.string(), z.unknown()),
} as const satisfies Readonly<Record<ConnectionKind, z.ZodType>>;

/**
 * The fields with their defaults.
 *
 * @param secretNames fields with secret values, which are not checked
 * @throws BatutaError CONNECTION_INVALID, which names the field but shows no value
 */
export function checkFields(
  name: string,
  kind: ConnectionKind,
  fields: Readonly<Record<string, unknown>>,
  secretNames: readonly string[],
): Readonly<Record<string, unknown>> {
  const standIns = Object.fromEntries(secretNames.map((field) => [field, 'secret']));
  const result = connectionSchemas[kind].safeParse({ ...fields, ...standIns });
  if (result.success) return Object.fromEntries(Object.entries(result.data).filter(([field]) => !secretNames.includes(field)));
  const known = kind === 'generic' ? [] : Object.keys(connectionSchemas[kind].shape);
  const told = result.error.issues.slice(0, 5).map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `it has no field ${key}.${hintFor(key, known, 'Its fields are')}`.replace(/\.$/, '')).join('; ');
    return `${issue.path.join('.')}: ${issue.message}`;
  });
  throw new BatutaError('CONNECTION_INVALID', `The connection '${name}' does not fit its kind ${kind}: ${told.join('; ')}.`, {
    details: { name, kind },
  });
}
