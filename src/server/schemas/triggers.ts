/** Events and triggers: requests and answers. */
import { z } from 'zod';
import { firingOutcomes, maxEventIdChars, maxEventNameChars } from '../../model/triggers/trigger.ts';
import { cursorText, instant, limitText, line, userValue } from './common.ts';
import { noPayload, replaced, word } from './payloads.ts';
import { at, count, textOrNull, value } from './run-answers.ts';

/** As people write it (`5m`, `2 days`, ISO 8601), or milliseconds; parsed where it is used. */
const duration = z.union([line(100, 1), z.number().min(0).max(Number.MAX_SAFE_INTEGER)]);
const path = line(200, 1);
const source = line(300, 1).describe('event:order.created, completed:extract, failed:flow:extract');
const filterValue = z.union([line(1_000), z.number(), z.boolean(), z.null()]);

const triggerSpec = z.union([
  source,
  z.strictObject({
    on: z.union([source, z.array(source).min(1).max(10)]),
    slug: line(200, 1).optional(),
    where: z.record(path, z.union([filterValue, z.array(filterValue).min(1).max(50)])).optional(),
    tags: z.array(line(200, 1)).max(50).optional(),
    params: z.record(line(200, 1), path).optional(),
    within: duration.optional(),
    debounce: z.union([duration, z.strictObject({ wait: duration, maxWait: duration.optional() })]).optional(),
    by: path.optional(),
    backfills: z.boolean().optional(),
  }),
]);
/** `on` of a deployment. */
export const triggerSpecs = z.union([triggerSpec, z.array(triggerSpec).max(50)]);

export const emitBody = z.strictObject({
  name: line(maxEventNameChars, 1),
  payload: userValue.optional(),
  id: line(maxEventIdChars, 1).optional(),
  at: instant.optional().describe('When it occurred; default now'),
  traceparent: line(256, 1).optional().describe('W3C Trace Context; default the header of this name'),
  callerRunId: line(200, 1).optional().describe('Run that emits it; default the header x-run-id'),
});
export const emittedQuery = z.strictObject({
  name: line(maxEventNameChars, 1).optional(),
  source: line(300, 1).optional().describe('webhook:<name>'),
  since: instant.optional(),
  until: instant.optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const emittedParams = z.strictObject({ id: line(maxEventIdChars, 1) });
export const triggersQuery = z.strictObject({ limit: limitText.optional() });

export const emittedEvent = z.strictObject({
  id: z.string(),
  name: z.string(),
  source: textOrNull,
  at,
  receivedAt: at,
  callerRunId: textOrNull,
  traceparent: textOrNull,
  data: value.nullable().describe('Its payload, as superjson writes it; null for none'),
});
export const emitReport = emittedEvent.extend({ isDuplicate: z.boolean() });

/** Filter values may reveal other people's data. */
export const trigger = z.strictObject({
  id: word,
  deployment: word,
  slug: word,
  rule: replaced(z.unknown(), (rule) => ({ ...(rule as object), where: {} })),
  createdAt: at,
});

export const triggersView = z.strictObject({
  waits: z.array(
    z.strictObject({
      triggerId: word,
      slug: word,
      group: z.string(),
      firstAt: at,
      dueAt: at,
      count,
      seen: z.array(word),
      missing: z.array(word),
    }),
  ),
  firings: z.array(
    z.strictObject({
      id: word,
      triggerId: word,
      deployment: word,
      slug: word,
      at,
      outcome: noPayload(z.enum(firingOutcomes)),
      cause: z.string(),
      causeId: z.string(),
      count,
      runId: word.nullable(),
      message: textOrNull,
    }),
  ),
});
