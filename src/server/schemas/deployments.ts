/** Requests about deployments, schedules and backfills. */
import { z } from 'zod';
import type { Duration } from '../../base/duration.ts';
import type { BackfillSpec, DeploymentSpec, ScheduleSpec } from '../../client/deployments-client.ts';
import { catchupPolicies, conflictPolicies, overlapPolicies } from '../../model/deployment.ts';
import { maxSlots } from '../../model/slots.ts';
import { maxStarts } from '../../model/rate.ts';
import { cursorText, duration, flag, given, idText, instant, limitText, line, nameText, prose, userValue } from './common.ts';
import { givenValue } from '../values.ts';
import { triggerSpecs } from './triggers.ts';

/** One of cron, interval and rrule; checked with the schedules. */
const scheduleFields = {
  cron: line(500).optional(),
  interval: line(100).optional(),
  rrule: prose(5000).optional(),
  timezone: line(100).optional(),
  anchor: line(100).optional(),
  start: line(100).optional(),
  end: line(100).optional(),
};

/** Exactly one of the three rules; enforced where schedules are read, and documented here. */
const oneRule = { oneOf: ['cron', 'interval', 'rrule'].map((rule) => ({ required: [rule] })) };

const scheduleSpec = z
  .strictObject({
    ...scheduleFields,
    slug: line(200).optional(),
    params: userValue.optional(),
    jitter: duration.optional(),
    paused: z.boolean().optional(),
  })
  .meta(oneRule);

/** How many may begin in a window. */
export const rateBody = z.strictObject({
  limit: z.number().int().min(1).max(maxStarts),
  per: duration,
  key: line(500).optional(),
});

const specFields = {
  name: line(200).optional(),
  flow: nameText,
  description: prose(5000).optional(),
  params: userValue.optional(),
  tags: z.array(line(200, 1)).max(100).optional(),
  queue: line(200).optional(),
  priority: z.number().int().min(-100).max(100).optional(),
  concurrency: z
    .union([
      z.number().int().min(1).max(1_000_000),
      z.strictObject({
        limit: z.number().int().min(1).max(1_000_000),
        key: line(500).optional(),
        onConflict: z.enum(conflictPolicies).optional(),
      }),
    ])
    .optional(),
  rateLimit: rateBody.optional(),
  fairness: line(500, 1).optional().describe('Template of the key by which its runs take turns'),
  slots: z.number().int().min(1).max(maxSlots).optional().describe('Places of a worker that each run takes; default that of the flow'),
  catchup: z.enum(catchupPolicies).optional(),
  catchupWindow: duration.optional(),
  overlap: z.enum(overlapPolicies).optional(),
  retention: duration.optional(),
  runName: line(500).optional(),
  paused: z.boolean().optional(),
  schedules: z.array(scheduleSpec).max(100).optional(),
  on: triggerSpecs.optional().describe('What starts it besides its schedules'),
};

const deploymentSpec = z.strictObject(specFields);
export const deployBody = z.strictObject({ ...specFields, dryRun: z.boolean().optional() });
export const deployManyBody = z.strictObject({
  specs: z.array(deploymentSpec).max(1000),
  origin: z.enum(['command', 'config', 'code']).optional(),
  dryRun: z.boolean().optional(),
  prune: z.boolean().optional(),
});

/** The spec in the client's form. */
export function specOf({ schedules, concurrency, rateLimit, ...rest }: z.output<typeof deploymentSpec>, params: unknown): DeploymentSpec {
  const spec = {
    ...rest,
    params,
    concurrency: typeof concurrency === 'object' ? given(concurrency) : concurrency,
    rateLimit: rateLimit && given(rateLimit),
    schedules: schedules?.map(({ params: own, ...schedule }) => given({ ...schedule, params: givenValue(own) }) as ScheduleSpec),
  };
  // Durations as text are parsed, and refused, where deployments are planned.
  return given(spec) as Omit<DeploymentSpec, 'retention'> & { readonly retention?: Duration | 'forever' };
}

export const deploymentListQuery = z.strictObject({
  flow: nameText.optional(),
  tag: line(200, 1).optional(),
  paused: flag.optional(),
  search: line(200, 1).optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const versionsQuery = z.strictObject({
  limit: limitText.optional(),
  cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe('A version: those before it'),
});
export const switchBody = z.strictObject({ schedule: nameText.optional() });
export const ticksQuery = z.strictObject({ deployment: nameText.optional(), limit: limitText.optional() });
export const previewBody = z
  .strictObject({
    ...scheduleFields,
    from: instant.optional(),
    count: z.number().int().min(1).max(1000).optional(),
  })
  .meta(oneRule);

const backfillFields = {
  deployment: nameText,
  schedule: nameText.optional(),
  fromAt: instant,
  untilAt: instant,
  maxParallel: z.number().int().min(1).max(10_000).optional(),
  order: z.enum(['oldest', 'newest']).optional(),
};
export const backfillPreviewBody = z.strictObject(backfillFields);
export const backfillBody = z.strictObject({ ...backfillFields, allowLarge: z.boolean().optional() });
export const backfillListQuery = z.strictObject({
  deployment: nameText.optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const backfillParams = z.strictObject({ id: idText });

/** The spec in the client's form. */
export function backfillOf(body: z.output<typeof backfillPreviewBody>): BackfillSpec {
  const { deployment, fromAt, untilAt, ...rest } = body;
  return { deployment, fromAt, untilAt, ...given(rest) };
}
