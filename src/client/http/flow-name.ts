/** The name by which a server knows a flow. */
import type { FlowClass } from '../../model/context.ts';
import type { FlowDefinition } from '../../model/flow.ts';

/** A name is taken as it is. @throws BatutaError what the declaration of a class is refused for */
export async function nameOfFlow(flow: string | FlowClass | FlowDefinition): Promise<string> {
  if (typeof flow === 'string') return flow;
  if (typeof flow !== 'function') return flow.name;
  // Apart, for a caller that names its flows needs no decorators.
  const { definitionOf } = await import('../../define/definition.ts');
  return definitionOf(flow).name;
}
