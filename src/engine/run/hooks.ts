/** Methods with `@On`: called after the fact; what they throw is logged and changes nothing. */
import type { FlowDefinition, HookEvent } from '../../model/flow.ts';
import type { Run } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import type { State, StateType } from '../../model/state.ts';
import type { EngineServices } from '../services.ts';
import { Activity } from '../waiting/activity.ts';
import { RunAttempt } from './run-attempt.ts';
import { RunRecord } from './transition.ts';
import { hookContext } from '../code/flow-context.ts';
import type { Failure } from '../../model/failure.ts';

/** Maximum wait of a run's end for a hook, ms. */
const maxHookMs = 30_000;

const eventOf: Partial<Record<StateType, HookEvent>> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CRASHED: 'crashed',
  CANCELLED: 'cancelled',
};

/** Calls the hooks for the state, one after the other in the order of the class. Resolves when they have ended or timed out. */
export async function callHooks(active: RunAttempt, state: State, error: Failure | null, result: unknown): Promise<void> {
  const event = eventOf[state.type];
  for (const hook of active.definition.hooks) {
    if (hook.event !== event) continue;
    const context = hookContext(active, state, error, result);
    const scope = active.scope(context, null);
    const overtime = new AbortController();
    try {
      const ended = runScope.run(scope, async () => {
        await active.makeInstance();
        await active.openFields(['worker']);
        return hook.method.call(active.instance, context);
      });
      const late = active.services.leaseClock
        .sleep(maxHookMs, overtime.signal)
        .then(() => active.log.error(`The hook ${hook.name} was not waited for any longer than ${maxHookMs / 1000} s.`));
      late.catch(() => undefined);
      await Promise.race([ended, late]);
    } catch (thrown) {
      active.log.error({ err: thrown }, `The hook ${hook.name} (on ${event}) threw; the run continues.`);
    } finally {
      overtime.abort();
    }
  }
}

/** Calls the hooks for the run's recorded state, on an object of their own. Writes nothing; never rejects for what they throw. */
export async function callHooksAfterwards(services: EngineServices, definition: FlowDefinition, run: Run): Promise<void> {
  const { owner, clock, store, lifecycle } = services;
  const claim = { runId: run.id, epoch: run.epoch };
  const active = new RunAttempt({
    services,
    definition,
    params: run.params,
    record: new RunRecord({ run, claim, owner, definition, recorder: store.recorder, clock, lifecycle, listener: null }),
    recorded: new Map(),
    activity: new Activity({ services, parent: null, onIdle: () => undefined }),
    confirmLease: () => null,
  });
  await callHooks(active, run.state, run.error, undefined);
}
