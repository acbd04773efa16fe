/** Checks an answer against the JSON Schema of its item, so that people see at once what is wrong; the flow's own schema has the last word. */
import type { z } from 'zod';
import { BatutaError } from '../base/errors.ts';
import type { InboxItem } from '../model/inbox.ts';

/** @param json the answer as plain JSON @throws BatutaError DECISION_INVALID with `details.issues`: list of `{ path, message }` */
export async function checkDecision({ id, title, schema }: Pick<InboxItem, 'id' | 'title' | 'schema'>, json: unknown): Promise<void> {
  const known = await schemaOf(schema);
  const outcome = known?.safeParse(json);
  if (outcome === undefined || outcome.success) return;
  const issues = outcome.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const words = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new BatutaError('DECISION_INVALID', `The answer to '${title}' does not fit: ${words}`, { details: { item: id, issues } });
}

/** Null if parts of it cannot be read. */
async function schemaOf(schema: unknown): Promise<z.ZodType | null> {
  if (typeof schema !== 'object' || schema === null) return null;
  const zod = await import('zod');
  try {
    return zod.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    return null;
  }
}
