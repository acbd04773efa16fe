/** Hooks of a run that ended in nobody's hands: called by a process that never executed it. */
import type { FlowDefinition } from '../../model/flow.ts';
import type { Run } from '../../model/run.ts';
import { ActiveRun } from './active-run.ts';
import { callHooks } from './hooks.ts';
import { Parking } from '../waiting/parking.ts';
import type { EngineServices } from '../services.ts';
import { RunRecord } from './transition.ts';

/** Calls the hooks for the state in which the run is recorded, on an object of their own. Writes nothing; never rejects for what they throw. */
export async function callHooksAfterwards(services: EngineServices, definition: FlowDefinition, run: Run): Promise<void> {
  const { owner, clock, store } = services;
  const claim = { runId: run.id, epoch: run.epoch };
  const active = new ActiveRun({
    services,
    definition,
    params: run.params,
    record: new RunRecord({ run, claim, owner, definition, recorder: store.recorder, clock, listener: null }),
    recorded: new Map(),
    parking: new Parking({ services, parent: null, onIdle: () => undefined }),
    confirmLease: () => null,
  });
  await callHooks(active, run.state, run.error, undefined);
}
