/** What routes tell of health. */
import { z } from 'zod';

const status = z.enum(['healthy', 'degraded', 'unhealthy']);

/** For everyone. */
export const health = z.strictObject({ status, checks: z.array(z.strictObject({ name: z.string(), status })) });

export const healthReport = z.strictObject({
  status: status.describe('The worst of the checks'),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      status,
      found: z.string(),
      mend: z.string().nullable().describe('What to do; null when all is well'),
      tookMs: z.number(),
      at: z.iso.datetime(),
    }),
  ),
  history: z
    .array(z.strictObject({ status, check: z.string().nullable().describe('The worst check'), at: z.iso.datetime() }))
    .describe('Changes since the server began to look, newest first'),
});
