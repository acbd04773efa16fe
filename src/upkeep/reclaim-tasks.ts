/**
 * Gives spread tasks whose worker is lost to others: its lease is over, or its process of this host has ended. Their runs stay where
 * they are.
 *
 * Runs in every scheduler and, slower, in every worker; each lost task run is found by one of them. A crash in the middle leaves task
 * runs that wait without a ticket, which `reissue-tasks` finds.
 */
import { type Loop, makeLoop } from '../base/loop.ts';
import { tryGiveOnSlots } from './limits.ts';
import { type LoopParts, maxBackoffMs, tellTaskEnd, tryPutTickets } from './parts.ts';

/** Task runs of one transaction. */
const batchTasks = 100;

export interface ReclaimTasksOptions {
  readonly intervalMs: number;
  readonly maxRecoveries: number;
}

export function reclaimTasksLoop(parts: LoopParts, { intervalMs, maxRecoveries }: ReclaimTasksOptions): Loop {
  const { engine, broker, log } = parts;
  const { store, clock, isOwnerGone } = engine.services;
  return makeLoop({
    name: 'reclaim tasks',
    intervalMs,
    maxBackoffMs,
    clock: engine.services.leaseClock,
    random: engine.services.random,
    onError: (error) => log.warn({ err: error }, 'Lost spread tasks could not be looked for.'),
    async step() {
      const goneOwners = (await store.spread.owners()).filter(isOwnerGone);
      const { waiting, ended } = await store.spread.reclaim({ limit: batchTasks, maxRecoveries, goneOwners });
      for (const { id, runId, message } of ended) {
        log.warn({ run: runId, taskRun: id }, message);
        await tellTaskEnd(broker, runId, id);
      }
      if (waiting.length > 0) log.warn({ tasks: waiting.length }, 'Workers were lost; their spread tasks go on elsewhere.');
      await tryPutTickets(parts, waiting, clock.now(), 'task');
      if (waiting.length + ended.length > 0) await tryGiveOnSlots(parts);
      return waiting.length + ended.length >= batchTasks ? 'again' : undefined;
    },
  });
}
