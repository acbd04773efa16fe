/** Tells the store that this worker is alive, what it serves, and how it is. */
import type { Logger } from 'pino';
import type { EventLoopWatch } from '../src/base/clock.ts';
import { makeLoop } from '../src/base/loop.ts';
import { makeService, type Service } from '../src/base/service.ts';
import type { EngineServices } from '../src/engine/services.ts';
import type { HealthFile } from '../src/observe/health-file.ts';
import type { WorkerRow } from '../src/store/store.ts';

export interface HeartbeatOptions {
  readonly services: EngineServices;
  readonly log: Logger;
  /** What it is and serves now. */
  readonly worker: () => Omit<WorkerRow, 'running' | 'lagMs'>;
  /** Places that runs and spread tasks occupy now. */
  readonly running: () => number;
  /** Watches once something is running, and rests when a beat finds nothing. */
  readonly eventLoop: EventLoopWatch;
  readonly healthFile: HealthFile;
  /** Called after each sign of life. */
  readonly afterBeat?: () => Promise<void>;
}

const heldUp = `A task held up this worker for a large part of its lease; mark it isolate: 'thread'.`;
const notRun = 'This worker did not get to run for a large part of its lease: it was stopped, or its machine was overloaded or asleep.';

/** Beats from its start, and removes the worker from the list when it stops. */
export function heartbeat({ services, log, worker, running, eventLoop, healthFile, afterBeat }: HeartbeatOptions): Service {
  const { store, settings, leaseClock } = services;
  let unheard = false;
  const loop = makeLoop({
    name: 'heartbeat',
    intervalMs: settings.heartbeatMs,
    maxBackoffMs: settings.heartbeatMs,
    clock: leaseClock,
    random: services.random,
    onError(error) {
      unheard = true;
      log.warn({ err: error }, 'The worker could not report that it is alive.');
    },
    async step() {
      const lag = eventLoop.takeLongestLag();
      if (running() === 0) eventLoop.rest();
      if (lag.ms > settings.leaseMs / 3) log.warn({ lagMs: Math.round(lag.ms) }, lag.isBusy ? heldUp : notRun);
      await store.workers.beat({ ...worker(), running: running(), lagMs: lag.ms });
      await healthFile.beat();
      await afterBeat?.();
      // An outage is logged by whatever it affects; this says that it is over.
      if (unheard) log.info('The worker reports again.');
      // What was taken back from it meanwhile did not cost a process.
      if (unheard || lag.ms > settings.leaseMs / 3) await store.suspects.acquit(worker().id);
      unheard = false;
    },
  });
  return makeService({
    name: 'heartbeat',
    start: () => loop.start(),
    async stop() {
      eventLoop.rest();
      await loop.stop();
      await healthFile.remove();
      // Otherwise the store forgets a silent worker.
      await store.workers.remove(worker().id).catch(() => undefined);
    },
  });
}
