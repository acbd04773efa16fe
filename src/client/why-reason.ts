/** Shared by the checks for the reason of a wait. */
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { Owner } from '../model/run.ts';
import type { Store } from '../store/store.ts';
import type { WaitReason } from './fleet-client.ts';
import { reporterState } from '../model/report.ts';

export interface WhyParts {
  readonly store: Store;
  readonly clock: Clock;
  /** A worker silent for longer is not alive, ms. */
  readonly leaseMs: number;
  /** Heartbeat interval of a worker, ms. */
  readonly heartbeatMs: number;
  readonly isOwnerGone: (owner: Owner) => boolean;
}

/** A reason with common defaults. */
export function reason(kind: WaitReason['kind'], message: string, more: Partial<Pick<WaitReason, 'untilAt' | 'holders'>> = {}): WaitReason {
  return { kind, message, untilAt: more.untilAt ?? null, holders: more.holders ?? [] };
}

/** `in 5 m` or `in a moment`. */
export function inText(at: number, now: number): string {
  return at - now < 1_000 ? 'in a moment' : `in ${formatDuration(Math.round((at - now) / 1_000) * 1_000)}`;
}

/** `Attempt 2 follows in 9 m, at …. The last failed: it broke` */
export function retryText(what: string, when: string, failed: string | null | undefined): string {
  return `${what} follows ${when}.${failed ? ` The last failed: ${failed}` : ''}`;
}

/** Null while its reporter is alive: what it waits for is known only there. @throws BatutaError STORE_… */
export async function whyReported({ store }: Pick<WhyParts, 'store'>, { reporter, host }: Owner): Promise<WaitReason | null> {
  const found = (await store.reports.list()).find(({ id }) => id === reporter?.id);
  if (found !== undefined && reporterState(found) === 'reporting') return null;
  const heard = found === undefined ? 'long ago' : `${formatDuration(Math.floor(found.silentMs / 1_000) * 1_000)} ago`;
  return reason(
    'owner-lost',
    `It runs elsewhere, in ${reporter?.name} on ${host}, which was last heard from ${heard}; this is its state at that time.`,
  );
}
