/** Why a run executed elsewhere may seem stuck here. */
import { formatDuration } from '../base/duration.ts';
import { reporterState } from '../model/report.ts';
import type { Owner } from '../model/run.ts';
import type { WaitReason } from './fleet-client.ts';
import { reason, type WhyParts } from './why-reason.ts';

/** Null while its reporter is alive: what it waits for is known only there. @throws BatutaError STORE_… */
export async function whyReported({ store }: Pick<WhyParts, 'store'>, { reporter, host }: Owner): Promise<WaitReason | null> {
  const found = (await store.reports.list()).find(({ id }) => id === reporter?.id);
  if (found !== undefined && reporterState(found) === 'reporting') return null;
  const heard = found === undefined ? 'long ago' : `${formatDuration(Math.floor(found.silentMs / 1_000) * 1_000)} ago`;
  return reason(
    'owner-lost',
    `It runs elsewhere, in ${reporter?.name} on ${host}, which was last heard of ${heard}; this is how it stood then.`,
  );
}
