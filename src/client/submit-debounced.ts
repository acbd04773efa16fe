/**
 * Submits debounced runs: each call is added to the run that gathers those of its key, or makes it. The ticket of that run is put once, for
 * when it is first due; a worker that finds it due later returns it until then.
 */
import type { Broker } from '../broker/broker.ts';
import { checkPut } from '../broker/open.ts';
import type { Engine } from '../engine/engine.ts';
import type { DebouncedCall, InsertedRun } from '../store/store.ts';

/** @throws BatutaError NAME_INVALID (queue), OPTION_INVALID (priority), CONFIG_INVALID, BROKER_UNAVAILABLE, STORE_… */
export async function submitDebounced(
  { services: { store, log } }: Engine,
  openBroker: () => Promise<Broker>,
  call: DebouncedCall,
): Promise<InsertedRun> {
  const { id, queue = '', priority = 0 } = call.run;
  checkPut([{ kind: 'run', id, epoch: 0, dueAt: null, priority }], { queue });
  const placed = await store.debounces.add(call);
  if (!placed.inserted) return placed;
  try {
    await (await openBroker()).put({ kind: 'run', id: placed.id, epoch: 0, priority, dueAt: placed.dueAt }, { queue });
  } catch (error) {
    log.warn({ err: error }, 'The run is accepted, but no worker could be woken; the fleet will find it within seconds.');
  }
  return placed;
}
