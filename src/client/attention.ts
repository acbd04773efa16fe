/** What needs attention: what keeps failing, is late, is lost, or waits where nobody serves or schedules. */
import { formatDuration } from '../base/duration.ts';
import { programName } from '../base/program-name.ts';
import type { LastRuns, Store } from '../store/store.ts';
import { failureSentence } from '../model/failure-sentence.ts';
import { alikeTo } from './alike.ts';
import type { Attention, QueueView, WaitReason, WorkerView } from './fleet-client.ts';

/** How many of the last runs are checked. */
const lastRuns = 10;
const mostCandidates = 30;
const mostShown = 20;
/** Late runs whose reason is queried, which takes several queries each. */
const mostExplained = 5;
/** A queue without workers is listed once a run has waited in it this long, ms: workers may be starting. */
const patienceMs = 30_000;
/** A tick that no scheduler has handled for this long is listed, ms. */
const tickPatienceMs = 60_000;
/** Schedules that are counted; beyond that the answer says so. */
const mostSchedules = 100;

export interface AttentionWish {
  readonly fromAt: number;
  readonly untilAt: number;
  readonly workers: readonly WorkerView[];
  readonly queues: readonly QueueView[];
  /** Why a run does not run. */
  readonly why: (runId: string) => Promise<WaitReason | null>;
}

/**
 * Worst first: ticks that no scheduler takes, queues that nobody serves, deployments (and flows without one) whose last run failed, late
 * runs, lost workers; within a kind, longest first. At most 20.
 */
export async function attentionOf(store: Store, wish: AttentionWish): Promise<readonly Attention[]> {
  const [unscheduled, failing, late] = await Promise.all([unscheduledOf(store, wish), failingOf(store, wish), lateOf(store, wish)]);
  return [...unscheduled, ...unservedOf(wish), ...failing, ...late, ...lostOf(wish)].slice(0, mostShown);
}

async function unscheduledOf({ deployments }: Store, { untilAt }: AttentionWish): Promise<readonly Attention[]> {
  const isOverdue = (at: number | null): at is number => at !== null && at < untilAt - tickPatienceMs;
  const overdue = (await deployments.due({ limit: mostSchedules })).filter(({ nextTickAt }) => isOverdue(nextTickAt));
  const [oldest] = overdue;
  if (oldest === undefined || oldest.nextTickAt === null) return [];
  const many = overdue.length === mostSchedules ? `${mostSchedules} schedules or more are` : `${overdue.length} schedules are`;
  const message = `${overdue.length === 1 ? 'A schedule is' : many} due and no scheduler takes the ticks. Start one: ${programName()} scheduler`;
  return [{ kind: 'no-scheduler', name: oldest.deployment, flow: '', message, sinceAt: oldest.nextTickAt, runId: null, failure: null }];
}

async function failingOf(store: Store, { fromAt, untilAt }: AttentionWish): Promise<readonly Attention[]> {
  const { figures } = store;
  const failed = async (kind: LastRuns['kind']): Promise<Pick<LastRuns, 'kind' | 'name'>[]> => {
    const counts = new Map<string, number>();
    for (const { name, type, runs } of await figures.ended({ kind, fromAt, untilAt: untilAt + 1, by: 'all', countsOnly: true }))
      if (isFailure(type)) counts.set(name, (counts.get(name) ?? 0) + runs);
    return [...counts]
      .sort(([, left], [, right]) => right - left)
      .slice(0, mostCandidates)
      .map(([name]) => ({ kind, name }));
  };
  const [deployments, flows] = await Promise.all([failed('deployment'), failed('flow')]);
  const last = await figures.last([...deployments, ...flows], lastRuns);
  const failing = last.flatMap(failingOne).sort((left, right) => left.sinceAt - right.sinceAt);
  return await Promise.all(failing.slice(0, mostShown).map((one) => withSentence(store, one)));
}

/** Why the newest of them failed, in the sentence used everywhere. */
async function withSentence({ runs, figures }: Store, item: Attention): Promise<Attention> {
  const run = item.runId === null ? null : await runs.get(item.runId);
  if (run === null) return item;
  const alike = (await alikeTo({ figures }, [run])).get(run.id) ?? null;
  const sentence = failureSentence(run, { alike, time: utcMinute });
  const failure = {
    state: run.state,
    error: run.error === null ? null : { ...run.error, stack: null, details: null },
    alike,
    streak: item.message,
  };
  return sentence === null ? item : { ...item, message: `${item.message} ${sentence}`, failure };
}

function utcMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Nothing if the newest run did not fail; a flow whose newest run belongs to a deployment is listed there. */
function failingOne({ kind, name, flow, runs, deployment }: LastRuns): Attention[] {
  const streak = runs.findIndex(({ type }) => !isFailure(type));
  const inRow = streak === -1 ? runs.length : streak;
  const [newest] = runs;
  const first = runs[inRow - 1];
  if (newest === undefined || first === undefined || (kind === 'flow' && deployment !== null)) return [];
  const failures = runs.filter(({ type }) => isFailure(type)).length;
  const message =
    inRow === 1
      ? failures === 1
        ? 'Its last run failed.'
        : `Its last run failed, ${failures} of the last ${runs.length} did.`
      : `Its last ${inRow} runs failed${failures > inRow ? `, ${failures} of the last ${runs.length} did` : ''}.`;
  return [{ kind: 'failing', name, flow, message, sinceAt: first.endedAt, runId: newest.id, failure: null }];
}

async function lateOf({ figures }: Store, { untilAt, why }: AttentionWish): Promise<readonly Attention[]> {
  const late = await figures.late();
  return await Promise.all(
    late.slice(0, mostShown).map(async ({ deployment, flow, count, runId, sinceAt }, place) => {
      const reason = place < mostExplained ? await why(runId).catch(() => null) : null;
      const many = count === 1 ? 'One run is late' : `${count} runs are late`;
      const message = `${many}, the longest by ${formatDuration(Math.max(0, untilAt - sinceAt))}.${reason === null ? '' : ` ${reason.message}`}`;
      return { kind: 'late', name: deployment ?? flow, flow, message, sinceAt, runId, failure: null } as const;
    }),
  );
}

function lostOf({ workers, untilAt }: AttentionWish): readonly Attention[] {
  const lost = workers.filter(({ state }) => state !== 'alive').sort((left, right) => right.silentMs - left.silentMs);
  return lost.map(({ name, host, running, silentMs, state }) => ({
    kind: 'lost',
    name,
    flow: '',
    message: `Worker ${name} on ${host} ${state === 'gone' ? 'ended without signing off' : `has been silent for ${formatDuration(silentMs)}`}; it had ${running} ${running === 1 ? 'run' : 'runs'}.`,
    sinceAt: untilAt - silentMs,
    runId: null,
    failure: null,
  }));
}

function unservedOf({ queues, untilAt }: AttentionWish): readonly Attention[] {
  return queues.flatMap(({ name, waiting, oldestAt, workers }) =>
    workers > 0 || waiting === 0 || oldestAt === null || untilAt - oldestAt < patienceMs
      ? []
      : [
          {
            kind: 'no-worker',
            name,
            flow: '',
            message: `${waiting} ${waiting === 1 ? 'run waits' : 'runs wait'} in queue ${name}, which no worker serves.`,
            sinceAt: oldestAt,
            runId: null,
            failure: null,
          },
        ],
  );
}

function isFailure(type: string): boolean {
  return type === 'FAILED' || type === 'CRASHED';
}
