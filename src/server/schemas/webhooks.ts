/** Webhooks: requests and answers. */
import { z } from 'zod';
import { webhookStyles } from '../../model/triggers/webhook.ts';
import { line, prose } from './common.ts';
import { at, atOrNull, count, textOrNull } from './run-answers.ts';

const duration = z.union([line(100, 1), z.number().min(0).max(Number.MAX_SAFE_INTEGER)]);
const header = line(100, 1);
const path = line(200, 1);

export const webhookBody = z.strictObject({
  style: z.enum(webhookStyles).optional(),
  secrets: z.array(line(100, 1)).min(1).max(5).describe('Names of secrets, any of which may sign'),
  header: header.optional(),
  prefix: line(50).optional(),
  encoding: z.enum(['hex', 'base64']).optional(),
  timestampHeader: header.optional(),
  event: line(200, 1).optional().describe('Name of its events, with {name}, {payload.…} and {headers.…}'),
  eventId: path.optional().describe('Path of what makes an event one'),
  payload: z.record(line(200, 1), path).optional().describe('What the event carries, by paths'),
  tolerance: duration.optional(),
  replayWindow: duration.optional(),
  description: prose(1_000).nullable().optional(),
});
export const webhookTestBody = z.strictObject({
  body: z.unknown().optional().describe('Any JSON'),
  headers: z.record(header, line(1_000)).optional(),
});

export const webhook = z.strictObject({
  name: z.string(),
  description: textOrNull,
  rule: z.strictObject({
    style: z.enum(webhookStyles),
    secrets: z.array(z.string()),
    header: textOrNull,
    prefix: z.string(),
    encoding: z.enum(['hex', 'base64']),
    timestampHeader: textOrNull,
    event: z.string(),
    eventId: textOrNull,
    payload: z.record(z.string(), z.string()).nullable(),
    toleranceMs: count,
    replayMs: count,
  }),
  createdAt: at,
  updatedAt: at,
  accepted: count,
  acceptedAt: atOrNull,
  refusedAt: atOrNull,
  refusal: textOrNull,
});
export const webhookReceived = z.strictObject({ event: z.string(), id: z.string(), isDuplicate: z.boolean() });
export const webhookTest = z.strictObject({ event: z.string(), id: z.string(), data: z.unknown(), starts: z.array(z.string()) });
