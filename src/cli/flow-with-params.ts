/** The flow that a command names, and parameters as its schema would read them. */
import { isBatutaError } from '../base/errors.ts';
import type { LoadedConfig } from '../base/config.ts';
import { findFlow } from '../define/find-flow.ts';
import { paramsFromText } from '../engine/submit/params.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { CommandContext } from './context.ts';
import { loadQuietly } from './load-quietly.ts';
import { asksServer } from './open.ts';
import type { GivenParams } from './read-params.ts';

/**
 * Finds the flow in the project. Where a server is asked, whose flows need not be here, a flow that is not found stays a name; texts are
 * read as JSON then where they are JSON.
 *
 * @returns `params` undefined when none were given. @throws BatutaError FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_…, PARAMS_INVALID
 */
export async function flowWithParams(
  context: CommandContext,
  settings: LoadedConfig,
  target: string,
  given: GivenParams,
): Promise<{ readonly flow: FlowDefinition | string; readonly params: unknown }> {
  const isGiven = given.data !== undefined || Object.keys(given.texts).length > 0;
  const definition = await loadQuietly(context, () =>
    findFlow(target, { flowsPath: settings.config.flows, cwd: context.terminal.cwd }),
  ).catch((error: unknown) => {
    if (asksServer(settings) && (isBatutaError(error, 'FLOW_NOT_FOUND') || isBatutaError(error, 'FILE_NOT_FOUND'))) return null;
    throw error;
  });
  if (!isGiven) return { flow: definition ?? target, params: undefined };
  if (definition) return { flow: definition, params: await paramsFromText(definition, given.data, given.texts) };
  return { flow: target, params: plainParams(given) };
}

/** Parameters without a schema at hand: texts that are JSON are read as JSON. */
export function plainParams({ data, texts }: GivenParams): Readonly<Record<string, unknown>> {
  return { ...data, ...Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, jsonOrText(text)])) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
