/** Finds out why a ticket had nothing to claim: what is on trial is executed apart from everything else. */
import type { Ticket } from '../src/broker/broker.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { hasVersion } from '../src/model/pin.ts';
import type { PinStore, SuspectStore } from '../src/store/store.ts';
import { type FlowRoutes, versionsOf } from './flow-routes.ts';
import type { Quarantine } from './quarantine.ts';

export interface SuspectParts {
  readonly store: { readonly suspects: Pick<SuspectStore, 'waiting'>; readonly pins: Pick<PinStore, 'get'> };
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly quarantine: Pick<Quarantine, 'offer'>;
  readonly routes: Pick<FlowRoutes, 'find' | 'leave'>;
}

/**
 * Accepts a suspect. If its flow, or the version it is pinned to, is not known here, its ticket goes to a worker that knows it.
 *
 * @param queue in which it waits; null if another worker left it to this one, which then leaves it to the check for lost tickets
 * @throws BatutaError STORE_…, BROKER_UNAVAILABLE
 */
export async function takeSuspect({ store, flows, quarantine, routes }: SuspectParts, ticket: Ticket, queue: string | null): Promise<void> {
  const suspect = await store.suspects.waiting(ticket.id);
  if (suspect === null) return;
  const { flow, runId } = suspect;
  const pin = await store.pins.get(runId);
  const isKnown = pin === null ? flows.has(flow) : hasVersion(versionsOf(flows), pin);
  if (isKnown) return quarantine.offer({ kind: ticket.kind, id: ticket.id });
  const key = queue === null ? null : await routes.find(pin ?? { flow }, queue);
  if (queue !== null && key !== null) await routes.leave(ticket, queue, key);
}
