/** Handles the ticket of a spread task: executes the task run, with as many places as it takes, or leaves it to a larger worker. */
import type { Ticket } from '../src/broker/broker.ts';
import type { EngineServices } from '../src/engine/services.ts';
import type { SpreadWorker } from '../src/engine/spread/spread-worker.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { tooHeavyText } from '../src/model/slots.ts';
import { type Arrived, type PlaceParts, takePlaces } from './take-places.ts';

export interface TaskTicketParts extends Pick<PlaceParts, 'routes'> {
  readonly services: Pick<EngineServices, 'store' | 'clock'>;
  readonly tasks: Pick<SpreadWorker, 'execute' | 'putOff'>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
}

/** Works on it until the task run has ended here or was left to others. False if it was unavailable. @throws BatutaError STORE_… */
export async function processTaskTicket(parts: TaskTicketParts, ticket: Ticket, arrived: Arrived): Promise<boolean> {
  const { tasks, flows, services } = parts;
  const { store, clock } = services;
  if (await tasks.execute(ticket.id, arrived.wasLeft)) return true;
  const heavy = await store.spread.heavy(ticket.id);
  if (heavy === null) return false;
  const { id, slots, queue } = heavy;
  // Workers that know the flow handle the places.
  if (!flows.has(heavy.flow)) return tasks.execute(id, arrived.wasLeft, slots);
  const isWaiting = async (): Promise<boolean> => (await store.spread.heavy(id)) !== null;
  const found = await takePlaces({ ...parts, clock, isWaiting }, ticket, heavy, arrived);
  if (found.kind === 'taken') return tasks.execute(id, arrived.wasLeft, slots);
  if (found.kind === 'none') await tasks.putOff(id, slots, tooHeavyText(slots, queue, found.most));
  return true;
}
