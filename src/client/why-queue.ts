/** Why no worker has taken a due run: nobody serves its queue or knows its flow, all are silent or busy, others are ahead. */
import { formatDuration } from '../base/duration.ts';
import { programName } from '../base/program-name.ts';
import { turnText } from '../model/fairness.ts';
import { hasVersion, type RunPin } from '../model/pin.ts';
import type { Run } from '../model/run.ts';
import { tooHeavyText } from '../model/slots.ts';
import type { WaitReason, WorkerView } from './fleet-client.ts';
import { livingWorkers } from './worker-views.ts';
import { reason, type WhyParts } from './why-reason.ts';

/** A worker that has missed more than one sign of life may be gone, and is not counted on. */
const heartbeatsOfSilence = 2;
/** Versions that are named. */
const mostVersions = 3;

/** @throws BatutaError STORE_… */
export async function whyNoWorker(parts: WhyParts, run: Run): Promise<WaitReason> {
  const { store, heartbeatMs } = parts;
  const alive = await livingWorkers(parts);
  const serving = alive.filter(({ queues }) => queues.includes(run.queue));
  const pin = await pinOfWait(store, run);
  const having = pin === null ? null : serving.filter(({ flows }) => hasVersion(flows, pin));
  if (pin !== null && having?.length === 0) return reason('pinned', nobodyHas(pin, run, alive));
  if (serving.length === 0) return reason('no-worker', nobodyServes(alive, run.queue));
  const knowing = having ?? serving.filter(({ flows }) => Object.hasOwn(flows, run.flow));
  if (knowing.length === 0)
    return reason(
      'no-worker',
      serving.length === 1
        ? `The worker of its queue ${run.queue} does not know the flow ${run.flow}.`
        : `None of the ${serving.length} workers of its queue ${run.queue} knows the flow ${run.flow}.`,
    );
  const [latest] = knowing.toSorted((left, right) => left.silentMs - right.silentMs);
  const heard = knowing.filter(({ silentMs }) => silentMs <= heartbeatsOfSilence * heartbeatMs);
  if (latest !== undefined && heard.length === 0) return reason('no-worker', lastHeard(latest, run.queue, parts));
  if (run.slots != null) {
    const heavy = whyHeavy(run.slots, run.queue, heard);
    if (heavy !== null) return heavy;
  }
  if (run.fairKey != null) {
    const place = await store.fairness.place(run.id);
    if (place !== null && (place.ahead > 0 || place.keys > 1)) return reason('turn', turnText(place.key, place.ahead, place.keys));
  }
  const ahead = (await store.fleet.placeInLine(run.id))?.ahead ?? 0;
  const places = heard.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const taken = heard.reduce((sum, { running }) => sum + running, 0);
  const line = ahead === 0 ? 'it is the next in its queue' : `${countOf(ahead, 'run is', 'runs are')} ahead of it`;
  if (taken >= places)
    return reason('workers-busy', `All workers of its queue ${run.queue} are busy (${taken} of ${places} places taken); ${line}.`);
  if (ahead > 0) return reason('behind', `In its queue ${run.queue} ${line}.`);
  return reason('starting', 'It is due, and a worker takes it in a moment.');
}

/** Why a run that takes several places of a worker waits; null if a worker has them free. */
function whyHeavy(slots: number, queue: string, workers: readonly WorkerView[]): WaitReason | null {
  const most = Math.max(...workers.map(({ concurrency }) => concurrency));
  if (slots > most)
    return reason('no-worker', `${tooHeavyText(slots, queue, most)} Start one: ${workerCommand(queue)} --concurrency ${slots}`);
  const large = workers.filter(({ concurrency }) => concurrency >= slots);
  const [freest] = large.toSorted((left, right) => freeOf(right) - freeOf(left));
  if (freest === undefined || freeOf(freest) >= slots) return null;
  return reason(
    'workers-busy',
    `Needs ${slots} places of a worker at once; ${freest.name} has the most free, ${freeOf(freest)} of ${freest.concurrency}. Once a worker has its ticket, places that become free there are kept for it.`,
  );
}

function freeOf({ concurrency, running }: WorkerView): number {
  return Math.max(0, concurrency - running);
}

function workerCommand(queue: string): string {
  return `${programName()} worker${queue === 'default' ? '' : ` --queue ${queue}`}`;
}

/** What keeps it from running with any version: its own pin, or that of an unfinished sub-flow. */
async function pinOfWait({ pins }: WhyParts['store'], { id, startedAt }: Run): Promise<RunPin | null> {
  if (startedAt === null) return null;
  const found = await pins.ofFamily(id);
  return found.find(({ runId }) => runId === id) ?? found[0] ?? null;
}

function nobodyHas(pin: RunPin, { id, queue }: Run, alive: readonly WorkerView[]): string {
  const { flow, version, runId } = pin;
  const what = runId === id ? 'It is' : `Its sub-flow run ${runId} is`;
  const served = alive.filter(({ queues }) => queues.includes(queue));
  const versions = [...new Set(served.flatMap(({ flows }) => (Object.hasOwn(flows, flow) ? [flows[flow]] : [])))];
  const there = versions.length === 0 ? '' : ` (they have ${versions.slice(0, mostVersions).join(', ')})`;
  return (
    `${what} pinned to version ${version} of the flow ${flow}, which no living worker of its queue ${queue} has${there}. ` +
    `Start one that has it, or let it continue with any version: ${programName()} runs unpin ${runId}`
  );
}

function nobodyServes(alive: readonly WorkerView[], queue: string): string {
  const start = `Start one: ${workerCommand(queue)}`;
  if (alive.length === 0) return `No worker lives. ${start}`;
  const served = [...new Set(alive.flatMap(({ queues }) => queues))].sort().join(', ');
  return `No living worker serves its queue ${queue}; served are ${served}. ${start}`;
}

function lastHeard({ name, host, silentMs }: WorkerView, queue: string, { leaseMs }: WhyParts): string {
  const from = `${formatDuration(silentMs)} ago, from ${name} on ${host}`;
  return `The last sign of life of a worker of its queue ${queue} came ${from}; after ${formatDuration(leaseMs)} it counts as lost.`;
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
