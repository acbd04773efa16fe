/** Why a run does not run now: checked in order of precedence. */
import { waitText } from '../model/limit.ts';
import { rateWaitText } from '../model/rate.ts';
import { isReported } from '../model/report.ts';
import type { Owner, Run } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import { debounceKeyIn } from '../model/submitted.ts';
import { formatDuration } from '../base/duration.ts';
import { programName } from '../base/program-name.ts';
import type { LinePlace, StoredDeployment } from '../store/store.ts';
import type { WaitReason } from './fleet-client.ts';
import { livingWorkers } from './worker-views.ts';
import { inText, reason, retryText, type WhyParts, whyReported } from './why-reason.ts';
import { whyNoWorker } from './why-queue.ts';
import { whyTasksWait } from './why-tasks.ts';

/** How soon a lost run is found, ms: schedulers check every second, workers every third of a lease. */
const schedulerLooksMs = 1_000;

/** One sentence and its parts; null for a run that has ended or really runs. @throws BatutaError STORE_… */
export async function whyWaiting(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  if (isTerminal(run.state.type)) return null;
  if (run.owner !== null && isReported(run.owner)) return await whyReported(parts, run.owner);
  if (run.owner !== null) return (await whyLost(parts, run, run.owner)) ?? whyOwned(parts, run);
  return (
    (await whySuspendedByRate(parts, run)) ??
    whySuspended(parts, run) ??
    (await whyTaskRetried(parts, run)) ??
    (await whyRated(parts, run)) ??
    (await whyDebounced(parts, run)) ??
    whyLater(parts, run) ??
    (await whyHeld(parts, run)) ??
    (await whyLimited(parts, run)) ??
    (await whyNoWorker(parts, run))
  );
}

async function whyLost(parts: WhyParts, run: Run, owner: Owner): Promise<WaitReason | null> {
  const { clock, leaseMs, isOwnerGone } = parts;
  const now = clock.now();
  const leaseIsOver = run.leaseUntil !== null && run.leaseUntil <= now;
  if (!leaseIsOver && !isOwnerGone(owner)) return null;
  const lost = `Its process ${owner.id} was lost`;
  if ((await livingWorkers(parts)).length === 0)
    return reason(
      'owner-lost',
      `${lost}, and no worker lives that could continue it. Start one, or continue it here: ${programName()} runs resume ${run.id}`,
    );
  const withinMs = Math.max(schedulerLooksMs, Math.ceil(leaseMs / 3));
  return reason('owner-lost', `${lost}; another goes on with it within ${Math.ceil(withinMs / 1_000)} s.`, { untilAt: now + withinMs });
}

/** Its process is alive and may wait. */
async function whyOwned(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  const { name, type } = run.state;
  if (name === 'AwaitingSlot') return (await whyLimited(parts, run)) ?? reason('starting', 'Its turn has come; it begins in a moment.');
  if (name === 'Scheduled') return await whyRated(parts, run);
  if (name === 'AwaitingRetry') return (await whyTaskRetried(parts, run)) ?? whyLater(parts, run);
  return type === 'RUNNING' ? whyTasksWait(parts, run) : null;
}

function whySuspended({ clock }: WhyParts, { state, dueAt }: Run): WaitReason | null {
  if (state.type !== 'PAUSED') return null;
  const why = state.message ?? 'It is suspended.';
  const waitsForSignal = /\bsignal\b/i.test(why);
  const until =
    dueAt === null ? '' : ` ${waitsForSignal ? 'It gives up' : 'It goes on'} ${inText(dueAt, clock.now())}, at ${isoOf(dueAt)}.`;
  return reason(waitsForSignal ? 'signal' : 'sleeping', `${why}${until}`, { untilAt: dueAt });
}

/** A run released because it only waits for the next attempt of a task, until that is due. */
async function whyTaskRetried(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  const isDue = run.owner === null && run.dueAt !== null && run.dueAt <= parts.clock.now();
  return run.state.name === 'AwaitingRetry' && !isDue ? await whyTasksWait(parts, run) : null;
}

/** A run released because all its tasks wait for rates. */
async function whySuspendedByRate(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  const isWaiting = run.state.type === 'PAUSED' && /\bthe rate\b/.test(run.state.message ?? '');
  return isWaiting ? await whyTasksWait(parts, run) : null;
}

/** A run that waits until it may begin. */
async function whyRated({ store, clock }: WhyParts, { id, owner }: Run): Promise<WaitReason | null> {
  const [wait] = await store.rates.waitsOf(id);
  if (wait === undefined || wait.task !== null) return null;
  const { name, limit, perMs, nextAt } = wait;
  // Its turn has come: now it only waits for a worker.
  if (owner === null && nextAt <= clock.now()) return null;
  const message = `${rateWaitText(name, limit, perMs)} It goes on ${inText(nextAt, clock.now())}, at ${isoOf(nextAt)}.`;
  return reason('rate', message, { untilAt: nextAt });
}

/** A run that gathers calls. Its row only says when it was first due, which is no use to people. */
async function whyDebounced({ store, clock }: WhyParts, { id, params }: Run): Promise<WaitReason | null> {
  const gathers = debounceKeyIn(params) === null ? null : await store.debounces.get(id);
  const now = clock.now();
  if (gathers === null || gathers.dueAt <= now) return null;
  const { calls, waitMs, dueAt, latestAt } = gathers;
  const until = latestAt === null || latestAt === dueAt ? '' : ` At the latest it starts at ${isoOf(latestAt)}.`;
  const called = calls === 1 ? 'It was called once' : `${calls} calls were gathered into it`;
  const message = `${called}; it starts once nobody has called for ${formatDuration(waitMs)}, ${inText(dueAt, now)}, at ${isoOf(dueAt)}.${until}`;
  return reason('scheduled', message, { untilAt: dueAt });
}

function whyLater({ clock }: WhyParts, { state, dueAt, attempt, error }: Run): WaitReason | null {
  const now = clock.now();
  if (dueAt === null || dueAt <= now) return null;
  const when = `${inText(dueAt, now)}, at ${isoOf(dueAt)}`;
  if (state.name !== 'AwaitingRetry') return reason('scheduled', `It starts ${when}.`, { untilAt: dueAt });
  return reason('backoff', retryText(`Attempt ${attempt}`, when, error?.message ?? state.message), { untilAt: dueAt });
}

async function whyHeld({ store }: WhyParts, run: Run): Promise<WaitReason | null> {
  const place = await store.fleet.placeInLine(run.id);
  if (place?.isHeld !== true) return null;
  const deployment = run.deployment === null ? null : await store.deployments.get(run.deployment);
  const { behind } = place;
  const holders = behind === null ? [] : [behind.first.id];
  const pause = deployment === null ? null : pauseText(deployment, run);
  if (pause !== null) return reason('paused', behind === null ? pause : `${pause} ${behindText(behind)}`, { holders });
  if (behind === null) return reason('starting', 'The runs before it have ended; it begins in a moment.');
  return reason('overlap', behindText(behind), { holders });
}

/** What blocks a run that waits although the runs before it may have ended; null if nothing does. */
function pauseText({ name, pausedAt, schedules }: StoredDeployment, { scheduleId }: Run): string | null {
  if (pausedAt !== null)
    return `Its deployment ${name} has been paused since ${isoOf(pausedAt)}: ${programName()} deployment resume ${name}.`;
  const schedule = schedules.find(({ id }) => id === scheduleId);
  if (schedule === undefined || schedule.pausedAt === null) return null;
  const { slug, pausedAt: since } = schedule;
  return `Its schedule ${slug} of ${name} has been paused since ${isoOf(since)}: ${programName()} deployment resume ${name} --schedule ${slug}.`;
}

function behindText({ first, count }: NonNullable<LinePlace['behind']>): string {
  const others = count === 1 ? 'has' : count === 2 ? 'and 1 other before it have' : `and ${count - 1} others before it have`;
  return `Waits until the run ${first.name} of ${isoOf(first.scheduledFor)} ${others} ended.`;
}

async function whyLimited({ store }: WhyParts, run: Run): Promise<WaitReason | null> {
  if (run.concurrencyKey === null) return null;
  const { name, slots, held, holders, waiters } = await store.limits.runLimit(run.concurrencyKey, run);
  const others = holders.filter(({ runId }) => runId !== run.id);
  if (slots === null || held < slots) return null;
  const place = waiters.findIndex(({ runId }) => runId === run.id);
  const ahead = place > 0 ? ` ${place === 1 ? '1 run waits' : `${place} runs wait`} for it longer.` : '';
  const text = waitText(
    name,
    held,
    slots,
    others.map(({ runName }) => runName),
  );
  return reason('limit', `${text}${ahead}`, { holders: others.map(({ runId }) => runId) });
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
