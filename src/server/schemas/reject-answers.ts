/** Answers about rejected records. All of them are payloads: observers are refused. */
import { z } from 'zod';
import { count } from './run-answers.ts';

export const letter = z.strictObject({
  reason: z.string(),
  stage: z.string().describe('Name of the task'),
  position: z.unknown().describe('Of the record in its source; null where the source gives none'),
  attempt: count,
  record: z.unknown(),
});

export const counts = z.strictObject({
  total: count,
  reasons: z.array(z.strictObject({ task: z.string(), reason: z.string(), count })).describe('Most first, 200 at most'),
  others: count.describe('Records of further reasons'),
});
