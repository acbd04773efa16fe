/** Answers about emissions. All but their number is payload: observers are refused. */
import { z } from 'zod';
import { at, count, value } from './run-answers.ts';

const stream = z.string();

export const emissionStream = z.strictObject({ stream, count, newest: count.describe('`seq` of its last value'), at });

const emission = z.strictObject({
  seq: count,
  stream,
  taskRunId: z.string().nullable().describe('Null: the body of a code flow gave it'),
  attempt: count,
  at,
  value: value.nullable(),
  isMissing: z.boolean().optional().describe('Its file is gone'),
});

export const emissionPage = z.strictObject({ items: z.array(emission), next: count.nullable().describe('`seq` to go on after') });
