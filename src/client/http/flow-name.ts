/** The name by which a server knows a flow. */
import type { FlowRef } from '../../model/flow-types.ts';

/** A name is taken as it is. @throws BatutaError what the declaration of a class is refused for */
export async function nameOfFlow(flow: FlowRef): Promise<string> {
  if (typeof flow === 'string') return flow;
  if (typeof flow !== 'function') return flow.name;
  // Apart, for a caller that names its flows needs no decorators.
  const { definitionOf } = await import('../../define/definition.ts');
  return definitionOf(flow).name;
}
