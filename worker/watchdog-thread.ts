/**
 * The thread of the watchdog. When idle it polls its process a few times per lease and sleeps; everything costly is done only once the
 * event loop has not answered for half a lease.
 *
 * answers → silent for half a lease: find what holds the loop, note it → silent for a lease: end the process. A loop that answers again in
 * between cancels the note. Time in which this thread did not run either (a frozen process, a machine asleep) does not count.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { formatDuration } from '../src/base/duration.ts';
import { openLog } from '../src/base/log.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { findHolder, type Holder } from './loop-holder.ts';
import type { WatchdogOrder } from './watchdog.ts';

const { leaseMs, databaseUrl, owner, mayEndProcess, logLevel, logFormat } = workerData as WatchdogOrder;
const everyMs = Math.min(2_000, Math.max(50, leaseMs / 8));
/** A loop held by nothing of ours that can be named, e.g. a blocking system call, is given more time. */
const unnamedMs = Math.max(4 * leaseMs, 120_000);

let answeredAt = systemClock.monotonic();
let steppedAt = answeredAt;
let holder: Holder | null = null;
let isLooking = false;
let store: Promise<Store> | null = null;

parentPort?.on('message', () => {
  answeredAt = systemClock.monotonic();
  if (holder !== null) void forget();
});

for (;;) {
  parentPort?.postMessage(null);
  await systemClock.sleep(everyMs);
  const now = systemClock.monotonic();
  if (now - steppedAt > 3 * everyMs + 500) answeredAt = now;
  steppedAt = now;
  const silentMs = now - answeredAt;
  if (silentMs >= leaseMs / 2 && holder === null && !isLooking) void look();
  if (mayEndProcess && silentMs >= (holder === null ? unnamedMs : leaseMs)) await endProcess(silentMs);
}

async function look(): Promise<void> {
  isLooking = true;
  const since = answeredAt;
  try {
    const found = await findHolder();
    if (found === null || since !== answeredAt) return;
    holder = found;
    const seen = sentenceFor(found);
    await say(`${capitalised(seen)}; its leases cannot be renewed. Mark the task isolate: 'thread'.`);
    store ??= openStore({ url: databaseUrl });
    await (await store).suspects.note({ owner, culprit: found.id, seen });
  } catch (error) {
    await say(`Could not record what holds the event loop: ${String(error)}`);
  } finally {
    isLooking = false;
  }
}

async function forget(): Promise<void> {
  holder = null;
  const open = store;
  store = null;
  if (open === null) return;
  try {
    const noted = await open;
    await noted.suspects.takeBack(owner);
    await noted.close();
  } catch {
    // The note counts only once the process is lost.
  }
}

async function endProcess(silentMs: number): Promise<void> {
  await say(
    `The event loop has been held for ${formatDuration(Math.round(silentMs / 1_000) * 1_000)}, longer than the lease; this process is ended.`,
  );
  process.kill(process.pid, 'SIGKILL');
}

function sentenceFor({ task, flow, place }: Holder): string {
  return `${task === null ? 'the body' : `task ${task}`} of the flow ${flow} held the event loop${place === null ? '' : ` at ${place}`}`;
}

/** Written by this thread itself: the process's streams belong to the held thread. */
async function say(message: string): Promise<void> {
  const log = await openLog({ level: logLevel, format: logFormat, colors: false, write: tryWrite });
  log.logger.error({ runId: holder?.runId, task: holder?.task }, message);
}

/** The log's reader may be gone, such as the worker of a process that executes something alone; that must not stop this thread. */
function tryWrite(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody is left to tell.
  }
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
