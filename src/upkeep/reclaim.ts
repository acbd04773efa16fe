/**
 * Takes runs and spread task runs from lost processes for others: their lease is over, or their process on this host has ended.
 *
 * Runs in every scheduler and, slower, in every worker; each lost one is found by one of them. A crash midway leaves some that wait without
 * a ticket, which `reissue` finds.
 */
import type { Loop } from '../base/loop.ts';
import { cancelBelow } from '../engine/run/cancel.ts';
import { tryGiveOnSlots } from './limits.ts';
import { tryGoOnAfterEnds } from './overlap.ts';
import { eachApart, type LoopParts, tellTaskEnd, tryPutTickets, upkeepLoop } from './parts.ts';

/** Runs, or spread task runs, per transaction. */
const batch = 100;

export interface ReclaimLoopOptions {
  readonly intervalMs: number;
  readonly maxRecoveries: number;
}

export function reclaimLoop(parts: LoopParts, { intervalMs, maxRecoveries }: ReclaimLoopOptions): Loop {
  return upkeepLoop(parts, {
    name: 'reclaim',
    intervalMs,
    failed: 'Could not look for the work of lost processes.',
    async step() {
      let isMore = false;
      await eachApart(
        parts,
        [reclaimRuns, reclaimTasks],
        async (reclaim) => {
          const found = await reclaim(parts, maxRecoveries);
          if (found > 0) await tryGiveOnSlots(parts);
          isMore ||= found >= batch;
        },
        ({ name }) => [{ step: name }, 'The work of lost processes could not be taken back.'],
      );
      return isMore ? 'again' : undefined;
    },
  });
}

/** Returns how many there were. */
async function reclaimRuns(parts: LoopParts, maxRecoveries: number): Promise<number> {
  const { engine, log } = parts;
  const { store, clock, isOwnerGone, lifecycle } = engine.services;
  const goneOwners = (await store.fleet.owners()).filter(isOwnerGone);
  const { waiting, ended, crashed } = await store.fleet.reclaim({ limit: batch, maxRecoveries, goneOwners });
  if (lifecycle.isObserved) await tellReclaimed(parts, waiting.length, ended);
  for (const { id, message } of ended) log.warn({ run: id }, message);
  await eachApart(
    parts,
    ended,
    ({ id, message }) => cancelBelow(engine.services, id, message),
    ({ id }) => [{ run: id }, 'The sub-flows of a run that has ended cannot be cancelled.'],
  );
  if (waiting.length > 0) log.warn({ runs: waiting.length }, 'Processes were lost; their runs continue elsewhere.');
  await tryPutTickets(parts, [...waiting, ...crashed], clock.now());
  if (ended.length > 0) await tryGoOnAfterEnds(parts);
  return waiting.length + ended.length;
}

/** Their runs stay where they are. Returns how many there were. */
async function reclaimTasks(parts: LoopParts, maxRecoveries: number): Promise<number> {
  const { engine, broker, log } = parts;
  const { store, clock, isOwnerGone, lifecycle } = engine.services;
  const goneOwners = (await store.spread.owners()).filter(isOwnerGone);
  const { waiting, ended } = await store.spread.reclaim({ limit: batch, maxRecoveries, goneOwners });
  if (lifecycle.isObserved && waiting.length + ended.length > 0)
    lifecycle.tell({ kind: 'reclaimed', work: 'task', waiting: waiting.length, ended: ended.length });
  for (const { id, runId, message } of ended) {
    log.warn({ run: runId, taskRun: id }, message);
    await tellTaskEnd(broker, runId, id);
  }
  if (waiting.length > 0) log.warn({ tasks: waiting.length }, 'Workers were lost; their spread tasks continue elsewhere.');
  await tryPutTickets(parts, waiting, clock.now(), 'task');
  return waiting.length + ended.length;
}

/** Best effort: what cannot be read is counted as taken back, but not by flow. */
async function tellReclaimed({ engine }: LoopParts, waiting: number, ended: readonly { readonly id: string }[]): Promise<void> {
  const { store, lifecycle } = engine.services;
  if (waiting + ended.length === 0) return;
  lifecycle.tell({ kind: 'reclaimed', work: 'run', waiting, ended: ended.length });
  for (const { id } of ended) {
    const run = await store.runs.get(id).catch(() => null);
    if (run) lifecycle.tell({ kind: 'ended', flow: run.flow, state: run.state, run });
  }
}
