/**
 * Marks in the schemas of answers: what of an answer is no payload, so that the role observer may see it. What carries no mark is hidden, so
 * a new field is hidden until somebody has decided about it (`src/server/hide-payloads.ts`).
 *
 * Values that the code fixes (booleans, enums, literals) need no mark. Names that stand in code or configuration (flows, tasks, signals,
 * deployments, queues, resources) are no payload; names that may be made of parameters (runs, items, keys of limits) are.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { shortId } from '../../model/ids.ts';

/** What stands for a value. @param parent the object that it is a member of */
export type Replace = (value: unknown, parent: Readonly<Record<string, unknown>>) => unknown;

const marks = z.registry<{ readonly replace: Replace | null }>();

/** The same schema, marked: what it describes is no payload. */
export function noPayload<T extends z.ZodType>(schema: T): T {
  return marked(schema, null);
}

/** The same schema, marked: what it describes is shown as `replace` gives it, which must fit the schema. */
export function replaced<T extends z.ZodType>(schema: T, replace: Replace): T {
  return marked(schema, replace);
}

/** The mark of a schema: null where it is shown as it is, undefined where it has none. */
export function markOf(schema: z.core.$ZodType): Replace | null | undefined {
  return marks.get(schema)?.replace;
}

function marked<T extends z.ZodType>(schema: T, replace: Replace | null): T {
  // A copy, for `schema` may be shared with fields that hold payloads.
  const copy = schema.clone();
  marks.add(copy, { replace });
  return copy;
}

/** Ids, names in code, and other text that nobody's data is in. */
export const word = noPayload(z.string());
export const wordOrNull = word.nullable();
/** A number that is measured or counted by Batuta. */
export const figure = noPayload(z.number());

/** Name of the object's own run: made of its id. @param id name of the member that has the id */
export const runNameBy = (id: string): z.ZodType<string> =>
  replaced(z.string(), (_name, parent) => `run-${shortId(String(parent[id] ?? ''))}`);

const ownKey = randomBytes(32);

/** The same text for the same value as long as this process lives; from it the value cannot be found, not by trying either. */
export function digestOf(value: string): string {
  return createHmac('sha256', ownKey).update(value).digest('hex').slice(0, 12);
}
