/** Flows as the local client serves them. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { definitionOf, isFlowClass } from '../define/definition.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Store } from '../store/store.ts';
import type { FlowsClient } from './client.ts';

/** Flows that have run on a store. */
export function localFlows(store: Store): FlowsClient {
  return { list: () => store.flows.list(), get: (name) => getFlow(store, name) };
}

async function getFlow(store: Store, name: string): ReturnType<FlowsClient['get']> {
  const flow = await store.flows.get(name);
  if (flow) return flow;
  const names = (await store.flows.list()).map((known) => known.name);
  throw new BatutaError('FLOW_NOT_FOUND', `No flow '${name}' has run on this store.${hintFor(name, names, 'Known are')}`, {
    details: { flow: name },
  });
}

/** The definition of a class, or the given one. @throws BatutaError for an invalid declaration */
export function asDefinition(flow: FlowClass | FlowDefinition): FlowDefinition {
  return isFlowClass(flow) || typeof flow === 'function' ? definitionOf(flow) : flow;
}
