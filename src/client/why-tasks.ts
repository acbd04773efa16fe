/** Why a run does not progress although its process has it: all its tasks wait. */
import { programName } from '../base/program-name.ts';
import { isDecisionName } from '../model/inbox.ts';
import { hasVersion } from '../model/pin.ts';
import { rateText } from '../model/rate.ts';
import type { Run } from '../model/run.ts';
import { tooHeavyText } from '../model/slots.ts';
import type { WaitingTasks } from '../store/store.ts';
import type { WaitReason, WorkerView } from './fleet-client.ts';
import { livingWorkers } from './worker-views.ts';
import { inText, reason, retryText, type WhyParts } from './why-reason.ts';

/** States in which a task run is active. */
const working: ReadonlySet<string> = new Set(['Pending', 'Running', 'Retrying']);
/** Most limits or queues that are named. */
const maxNamed = 3;

/** Null while a task is active, or none waits for a known reason. @throws BatutaError STORE_… */
export async function whyTasksWait(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  const { store, clock } = parts;
  const counts = await store.taskRuns.countsOfRun(run.id);
  if (counts.some(({ state, count }) => working.has(state) && Number(count) > 0)) return null;
  const waiting = new Set(counts.filter(({ count }) => Number(count) > 0).map(({ state }) => state));
  if (waiting.has('AwaitingSlot')) {
    const limited = (await whyTasksLimited(store, run.id)) ?? (await whyTasksRated(parts, run.id));
    if (limited) return limited;
  }
  if (waiting.has('Scheduled') || waiting.has('Resuming')) {
    const unserved = await whyTasksUnserved(parts, run);
    if (unserved) return unserved;
  }
  if (!waiting.has('Suspended') && !waiting.has('AwaitingRetry')) return null;
  const { items } = await store.taskRuns.page(run.id, { states: ['Suspended', 'AwaitingRetry'], limit: 100 });
  const [first] = items.toSorted((a, b) => (a.dueAt ?? Infinity) - (b.dueAt ?? Infinity));
  if (first === undefined) return null;
  const { dueAt: untilAt } = first;
  if (first.state.name === 'AwaitingRetry') {
    const when = first.dueAt === null ? 'in a moment' : `${inText(first.dueAt, clock.now())}, at ${new Date(first.dueAt).toISOString()}`;
    return reason('backoff', retryText(`Attempt ${first.attempt + 1} of task ${first.name}`, when, first.state.message), { untilAt });
  }
  const until = first.dueAt === null ? '' : ` It goes on ${inText(first.dueAt, clock.now())}, at ${new Date(first.dueAt).toISOString()}.`;
  return reason(
    first.name.startsWith('signal:') || isDecisionName(first.name) ? 'signal' : 'sleeping',
    `${first.state.message ?? 'It waits.'}${until}`,
    { untilAt },
  );
}

async function whyTasksLimited(store: WhyParts['store'], runId: string): Promise<WaitReason | null> {
  const waits = await store.limits.taskWaits(runId);
  if (waits.length === 0) return null;
  const limits = new Map((await store.limits.tagLimitViews()).map((limit) => [limit.name, limit]));
  const names = [...new Set(waits.map(({ name }) => name))];
  const parts = names.slice(0, maxNamed).map((name) => {
    const tasks = waits.filter((wait) => wait.name === name).map(({ task, tasks: count }) => tasksText(task, count));
    const limit = limits.get(name);
    return `${tasks.join(', ')} for the limit ${name} (${limit?.held ?? 0} of ${limit?.slots ?? 0} taken)`;
  });
  const holders = [...new Set(names.flatMap((name) => limits.get(name)?.holders.map((holder) => holder.runId) ?? []))];
  return reason('task-limit', `Its tasks wait: ${parts.join('; ')}.`, { holders: holders.filter((id) => id !== runId) });
}

async function whyTasksRated({ store, clock }: WhyParts, runId: string): Promise<WaitReason | null> {
  const waits = (await store.rates.waitsOf(runId)).filter(({ task }) => task !== null);
  const [first] = waits;
  if (first === undefined) return null;
  const told = waits
    .slice(0, maxNamed)
    .map(({ task, count, name, limit, perMs }) => `${tasksText(task ?? '', count)} for the rate ${name} (${rateText(limit, perMs)})`);
  const when = `${inText(first.nextAt, clock.now())}, at ${new Date(first.nextAt).toISOString()}`;
  return reason('rate', `Its tasks wait: ${told.join('; ')}. The next goes on ${when}.`, { untilAt: first.nextAt });
}

/** Spread tasks in queues that nobody serves. */
async function whyTasksUnserved(parts: WhyParts, run: Run): Promise<WaitReason | null> {
  const waits = await parts.store.spread.waiting(run.id);
  if (waits.length === 0) return null;
  const workers = await livingWorkers(parts);
  const served = new Set(workers.flatMap(({ queues }) => queues));
  const unserved = waits.filter(({ queue }) => !served.has(queue));
  const [first] = unserved;
  if (first === undefined) return (await whyTasksPinned(parts, run, waits, workers)) ?? whyTasksTooHeavy(waits, workers, run.flow);
  const told = [...new Set(unserved.map(({ queue }) => queue))].slice(0, maxNamed).map((queue) => {
    const tasks = unserved.filter((wait) => wait.queue === queue).map(({ task, count }) => tasksText(task, count));
    return `${tasks.join(', ')} in ${queue}`;
  });
  return reason(
    'no-worker',
    `Its tasks wait, and no living worker serves their queue: ${told.join('; ')}. Start one: ${programName()} worker --queue ${first.queue}`,
  );
}

/** Spread tasks of a pinned run, in a queue where no worker has its version. */
async function whyTasksPinned(
  { store }: WhyParts,
  { id }: Run,
  waits: readonly WaitingTasks[],
  workers: readonly WorkerView[],
): Promise<WaitReason | null> {
  const pin = await store.pins.get(id);
  if (pin === null) return null;
  const wait = waits.find(({ queue }) => !workers.some(({ queues, flows }) => queues.includes(queue) && hasVersion(flows, pin)));
  if (wait === undefined) return null;
  return reason(
    'pinned',
    `Its task waits: ${tasksText(wait.task, wait.count)}. The run is pinned to version ${pin.version} of the flow ${pin.flow}, which no living worker ` +
      `of the queue ${wait.queue} has. Start one that has it, or let the run go on with any version: ${programName()} runs unpin ${id}`,
  );
}

/** Spread tasks that take more places than any worker of their queue has. */
function whyTasksTooHeavy(waits: readonly WaitingTasks[], workers: readonly WorkerView[], flow: string): WaitReason | null {
  for (const { queue, task, count, slots = 1 } of waits) {
    const knowing = workers.filter((worker) => worker.queues.includes(queue) && Object.hasOwn(worker.flows, flow));
    const most = Math.max(0, ...knowing.map(({ concurrency }) => concurrency));
    if (knowing.length > 0 && slots > most)
      return reason('no-worker', `Its task waits: ${tasksText(task, count)}. ${tooHeavyText(slots, queue, most)}`);
  }
  return null;
}

function tasksText(task: string, count: number): string {
  return count === 1 ? task : `${task} (${count} of it)`;
}
