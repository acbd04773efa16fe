/** Parts of requests that many routes share. Every text has a maximum length, and every object refuses unknown fields. */
import type { Duration } from '../../base/duration.ts';
import { z } from 'zod';
import { stateWord, stateWords } from '../../model/state.ts';
import { isLongerThan } from '../../base/cut-text.ts';

// Ranges instead of Unicode classes, written as escapes: the patterns are in the API description, and other tools read no more than this.
const noControls = new RegExp(String.raw`^[^\u0000-\u001f\u007f-\u009f]*$`);
const noNul = new RegExp(String.raw`^[^\u0000]*$`);

/** Text without control characters and lone surrogates, which no store takes and no name needs. */
export const line = (max: number, min = 0): z.ZodString =>
  z
    .string()
    .min(min)
    .refine((text) => !isLongerThan(text, max), `must have at most ${max} characters`)
    .refine((text) => text.isWellFormed(), 'must not contain lone surrogates')
    .meta({ maxLength: max })
    .regex(noControls, 'must hold no control characters');

/** Multi-line text: only NUL and lone surrogates are refused. */
export const prose = (max: number): z.ZodString =>
  z
    .string()
    .refine((text) => !isLongerThan(text, max), `must have at most ${max} characters`)
    .refine((text) => text.isWellFormed(), 'must not contain lone surrogates')
    .meta({ maxLength: max })
    .regex(noNul, 'must hold no NUL character');

/** Id of a run, or its first characters (at least 4). */
export const idText = line(100, 1);
export const nameText = line(200, 1);
/** As people write it (`5m`, `2 days`, ISO 8601), or milliseconds; parsed where it is used. */
export const duration = z.union([line(100, 1), z.number().min(0).max(Number.MAX_SAFE_INTEGER)]) as unknown as z.ZodType<Duration, Duration>;

/** Address of something with an id; of something with a name. */
export const idParams = z.strictObject({ id: idText });
export const nameParams = z.strictObject({ name: nameText });

/** 1 to 1000. */
export const limitText = z.coerce.number().int().min(1).max(1000);
export const cursorText = line(1000, 1);
export const pageQuery = z.strictObject({ limit: limitText.optional(), cursor: cursorText.optional() });

/** An instant as ISO 8601 with its offset; becomes epoch ms. */
export const instant = z.iso
  .datetime({ offset: true })
  .max(40)
  .describe('ISO 8601 with Z or an offset')
  .transform((text, context) => {
    const at = Date.parse(text);
    if (Number.isFinite(at)) return at;
    context.addIssue({ code: 'custom', message: 'must be an instant' });
    return z.NEVER;
  });

/** `true` or `false` in a query. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The number of a row in a query. */
export const seqText = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const oneState = line(60, 1)
  .meta({ enum: stateWords, description: 'A type with all its names, a name, or TYPE/Name for that name alone; any case is taken' })
  .transform((text, context) => {
    const word = stateWord(text);
    if (word !== null) return word;
    context.addIssue({ code: 'custom', message: `must be one of ${stateWords.join(', ')}` });
    return z.NEVER;
  });

/** States by type or name, any case; may be repeated. */
export const statesText = z.union([z.array(oneState).max(50), oneState.transform((state) => [state])]);

/** A user value: plain JSON, or `{ json, meta? }` if it holds what JSON cannot express. Then no other fields are allowed. */
export const userValue = z.unknown().describe('Plain JSON, or { json, meta? } as superjson writes it');

/** The object's values of these keys; undefined ones are left out. */
export function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Makes the options of routes that stand under one heading of the documentation. */
export function documented(tag: string) {
  return <Schemas extends object>(description: string, schemas: Schemas = {} as Schemas) => ({
    schema: { tags: [tag], description, ...schemas },
  });
}
