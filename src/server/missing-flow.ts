/** Explains why a flow that is in the list cannot be run from here. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { RouteParts } from './parts.ts';

/**
 * Rethrows; if the store knows a flow whose file the server lacks, with a sentence that explains it.
 *
 * @throws BatutaError FLOW_NOT_FOUND, and what was thrown
 */
export async function explainMissingFlow(
  { client, flows }: Pick<RouteParts, 'client' | 'flows'>,
  error: unknown,
  flow: string,
): Promise<never> {
  if (!isBatutaError(error, 'FLOW_NOT_FOUND') || !(await client.engine.services.store.flows.get(flow))) throw error;
  throw new BatutaError(
    'FLOW_NOT_FOUND',
    `The flow ${flow} is known from earlier, but the server does not have its file, which it needs for checking the parameters: it looked in ` +
      `${flows.join(', ')}. Start the server where the flows are, or point BATUTA_FLOWS there.`,
    { cause: error, details: { flow } },
  );
}
