/**
 * Puts the tickets of runs and spread task runs that wait and are due, but have had none put for a while: the broker may have lost it, the
 * process that had to put it may have died, or their instant has come. The same for crashed runs whose hooks were never called. A ticket
 * that still exists stays as it is. Also of runs parked because of a sub-flow that has ended meanwhile.
 *
 * Runs in every scheduler and, slower, in every worker; each is handled by one of them per round.
 */
import type { Loop } from '../base/loop.ts';
import { eachApart, type LoopParts, putTickets, upkeepLoop } from './parts.ts';

/** A ticket that takes longer than this, or than a lease if that is shorter, counts as lost, ms. */
const lostAfterAtMostMs = { run: 10_000, task: 5_000 } as const;
/** Per round. */
const batch = 1_000;

export interface ReissueLoopOptions {
  readonly intervalMs: number;
  /** How long a ticket of a run may take before it counts as lost, ms; default 10 s, or a lease if that is shorter. */
  readonly lostAfterMs?: number;
}

export function reissueLoop(parts: LoopParts, { intervalMs, lostAfterMs }: ReissueLoopOptions): Loop {
  const { leaseMs } = parts.engine.services.settings;
  const reissue = [
    () => reissueRuns(parts, lostAfterMs ?? Math.min(lostAfterAtMostMs.run, leaseMs)),
    () => reissueTasks(parts, Math.min(lostAfterAtMostMs.task, leaseMs)),
  ];
  return upkeepLoop(parts, {
    name: 'reissue',
    intervalMs,
    failed: 'Lost tickets could not be put again.',
    async step() {
      // While the broker is away, nothing must count as ticketed.
      if (!(await parts.broker.health()).ok) return undefined;
      let isMore = false;
      await eachApart(
        parts,
        reissue,
        async (one) => {
          if (await one()) isMore = true;
        },
        () => [{}, 'Lost tickets of one kind could not be put again.'],
      );
      return isMore ? 'again' : undefined;
    },
  });
}

/** Whether more could be put at once. */
async function reissueRuns(parts: LoopParts, ticketedBeforeMs: number): Promise<boolean> {
  const { store, clock } = parts.engine.services;
  const hooks = await store.fleet.hooksUnticketed({ ticketedBeforeMs, limit: batch });
  if (hooks.length > 0) await putTickets(parts, hooks, clock.now());
  tellReissued(parts, 'run', hooks.length);
  await putTickets(parts, await store.pins.unparkVoid(batch), clock.now());
  const runs = await store.fleet.dueUnticketed({ ticketedBeforeMs, limit: batch });
  const [first] = runs;
  if (first === undefined) return false;
  await putTickets(parts, runs, clock.now());
  tellReissued(parts, 'run', runs.length);
  // A long queue only waits for its workers; a short one has lost its tickets.
  return runs.length === batch && (await parts.broker.stats(first.queue)).waiting < 2 * batch;
}

/** Never more at once: if there are that many, they wait for workers, not for tickets. */
async function reissueTasks(parts: LoopParts, ticketedBeforeMs: number): Promise<boolean> {
  const { store, clock } = parts.engine.services;
  const tasks = await store.spread.dueUnticketed({ ticketedBeforeMs, limit: batch });
  await putTickets(parts, tasks, clock.now(), 'task');
  tellReissued(parts, 'task', tasks.length);
  return false;
}

function tellReissued({ engine }: LoopParts, work: 'run' | 'task', tickets: number): void {
  const { lifecycle } = engine.services;
  if (tickets > 0 && lifecycle.isObserved) lifecycle.tell({ kind: 'reissued', work, tickets });
}
