/** Answers about secrets, variables and connections, as documented. */
import { z } from 'zod';
import { at, count, textOrNull } from './run-answers.ts';

const common = { name: z.string(), description: textOrNull, createdAt: at, updatedAt: at };

export const secret = z.strictObject({ ...common, kind: z.enum(['stored', 'reference']), reference: textOrNull, keyId: textOrNull });
/** Only the name for non-admins. */
export const listedSecret = secret.partial().required({ name: true });
export const variable = z.strictObject({ ...common, value: z.unknown() });
export const connection = z.strictObject({
  ...common,
  kind: z.string(),
  fields: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), textOrNull).describe('Secret fields: where each is kept, null for one that is encrypted in the database'),
});
/** Only name and kind for non-admins. */
export const listedConnection = connection.partial().required({ name: true, kind: true });
export const rotation = z.strictObject({
  keyId: z.string(),
  moved: count,
  current: count,
  failed: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});
