/**
 * Pinned runs: whatever executes them has the version of their flow with which they began.
 *
 * A flow requests this by `versioning: 'pin'`, in the version that begins a run, and the pin is durable before anything of the run is
 * executed. Processes with another version leave the run and its spread tasks to others. A run that has not begun may run anywhere.
 */
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { type FlowVersion, hasVersion, pinnedText, type RunPin } from '../../model/pin.ts';
import type { Run } from '../../model/run.ts';
import type { Store } from '../../store/store.ts';
import { claimOf } from '../lease/claim.ts';
import type { RunAttempt } from './run-attempt.ts';

type Begun = Pick<Run, 'id' | 'startedAt' | 'flowVersion'>;

/** Pins a run that is about to begin, if its flow requests that. Durable when it resolves. @throws BatutaError STORE_… */
export async function pinAsDeclared({ run, definition, record, host, services }: RunAttempt): Promise<void> {
  if (run.startedAt !== null || definition.isPinned !== true) return;
  const version: FlowVersion = { flow: definition.name, version: definition.version };
  await services.store.pins.pin(record.claim, version, host ?? version, services.clock.now());
}

/**
 * The pin of a run that is pinned to another version than this; null: it may continue here. Queries the store only if the versions differ.
 *
 * @param definition this process's definition of the flow; undefined: none
 * @param flows all flows of this process: if it has the flow that the run's class came with, it has that class too
 * @throws BatutaError STORE_…
 */
export async function pinnedElsewhere(
  { pins }: Pick<Store, 'pins'>,
  { id, startedAt, flowVersion }: Begun,
  definition: Pick<FlowDefinition, 'version'> | undefined,
  flows: ReadonlyMap<string, FlowDefinition> = new Map(),
): Promise<RunPin | null> {
  if (startedAt === null || flowVersion === definition?.version) return null;
  const pin = await pins.get(id);
  if (pin === null || pin.version === definition?.version) return null;
  const here = [pin, pin.host].flatMap(({ flow }) => flows.get(flow) ?? []);
  return hasVersion(Object.fromEntries(here.map((one) => [one.name, one.version])), pin) ? null : pin;
}

/** @throws BatutaError RUN_PINNED when the run is pinned to another version than this, STORE_… */
export async function refusePinnedElsewhere(store: Pick<Store, 'pins'>, run: Begun, definition: FlowDefinition): Promise<void> {
  const pin = await pinnedElsewhere(store, run, definition);
  if (pin !== null) throw pinnedError(pin, definition.version);
}

/** The same for a run that was just claimed: gives it back if refused. @throws as `refusePinnedElsewhere` does */
export async function refuseClaimed(store: Pick<Store, 'pins' | 'runs'>, run: Run, definition: FlowDefinition): Promise<void> {
  await refusePinnedElsewhere(store, run, definition).catch(async (error: unknown) => {
    await store.runs.release(claimOf(run)).catch(() => undefined);
    throw error;
  });
}

/** The pin that an error of `refusePinnedElsewhere` is about. */
export function pinOf(error: BatutaError): RunPin {
  return error.details['pin'] as RunPin;
}

/** The error that stops the caller of such a run, to continue where that version is. */
export function callerOfPinned(error: BatutaError, runId: string): BatutaError {
  const pin = pinOf(error);
  return new BatutaError('RUN_PINNED', pinnedText(pin, runId), { cause: error, details: error.details });
}

function pinnedError(pin: RunPin, here: string): BatutaError {
  return new BatutaError(
    'RUN_PINNED',
    `Run ${pin.runId} is pinned to version ${pin.version} of the flow ${pin.flow}, and here is version ${here}. Start a worker that has that version, ` +
      `or let the run continue with any: ${programName()} runs unpin ${pin.runId}`,
    { details: { runId: pin.runId, here, pin } },
  );
}
