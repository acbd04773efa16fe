/**
 * Marks in answer schemas what is not a payload, so that the role observer may see it. Anything unmarked is hidden, so a new field is
 * hidden until somebody has decided about it (`src/server/hide-payloads.ts`).
 *
 * Values fixed by the code (booleans, enums, literals) need no mark. Names from code or configuration (flows, tasks, signals, deployments,
 * queues, resources) are not payload; names that may be made of parameters (runs, items, keys of limits) are.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { shortId } from '../../model/ids.ts';

/** Replacement of a value. @param parent the object it is a member of */
export type Replace = (value: unknown, parent: Readonly<Record<string, unknown>>) => unknown;

const marks = z.registry<{ readonly replace: Replace | null }>();

/** The same schema, marked: its value is not a payload. */
export function noPayload<T extends z.ZodType>(schema: T): T {
  return marked(schema, null);
}

/** The same schema, marked: its value is shown as the result of `replace`, which must fit the schema. */
export function replaced<T extends z.ZodType>(schema: T, replace: Replace): T {
  return marked(schema, replace);
}

/** The mark of a schema: null if shown as is, undefined if unmarked. */
export function markOf(schema: z.core.$ZodType): Replace | null | undefined {
  return marks.get(schema)?.replace;
}

function marked<T extends z.ZodType>(schema: T, replace: Replace | null): T {
  // A copy: `schema` may be shared with fields that hold payloads.
  const copy = schema.clone();
  marks.add(copy, { replace });
  return copy;
}

/** Ids, names in code, and other text without anyone's data. */
export const word = noPayload(z.string());
export const wordOrNull = word.nullable();
/** A number measured or counted by Batuta. */
export const figure = noPayload(z.number());

/** Name of the object's own run: made of its id. @param id name of the member with the id */
export const runNameBy = (id: string): z.ZodType<string> =>
  replaced(z.string(), (_name, parent) => `run-${shortId(String(parent[id] ?? ''))}`);

const ownKey = randomBytes(32);

/** The same text for the same value while this process is alive; the value cannot be found from it, not even by trying. */
export function digestOf(value: string): string {
  return createHmac('sha256', ownKey).update(value).digest('hex').slice(0, 12);
}
