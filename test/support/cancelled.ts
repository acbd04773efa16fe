/** Flows to cancel, and what holds once they are. */
import { expect } from 'vitest';
import type { FlowClass, TaskContext } from 'batuta';
import type { RunHandle } from '../../src/client/client.ts';
import { isTerminal } from '../../src/model/state.ts';
import { gate, makeFlow } from './make-flow.ts';
import type { OpenEngine } from './open-engine.ts';

/** Nothing of the run, its tasks or its sub-flows goes on. */
export async function expectAllEnded({ store }: Pick<OpenEngine, 'store'>, runId: string): Promise<void> {
  const run = await store.runs.get(runId);
  expect(isTerminal(run?.state.type ?? 'RUNNING')).toBe(true);
  for (const row of await store.taskRuns.ofRun(runId))
    expect(`${row.key} ${isTerminal(row.state.type) ? 'ended' : row.state.name}`).toBe(`${row.key} ended`);
  for (const child of await store.runs.children(runId)) await expectAllEnded({ store }, child.id);
}

export async function expectCancelled(open: OpenEngine, handle: RunHandle, message?: string): Promise<void> {
  const run = await handle.done();
  expect(run.state.name).toBe('Cancelled');
  if (message !== undefined) expect(run.state.message).toBe(message);
  await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  await expectAllEnded(open, handle.id);
}

/** A flow of one task that tells when it runs, and ends as the signal says. */
export function obedient(): { readonly Graph: FlowClass; readonly running: Promise<AbortSignal> } {
  const { opened, open } = gate<AbortSignal>();
  const does = (ctx: TaskContext): Promise<never> =>
    new Promise((_, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error), { once: true });
      open(ctx.signal);
    });
  return { Graph: makeFlow({ wait: { does }, next: { needs: ['wait'] } }), running: opened };
}

/** A flow of one task that listens to nothing and never ends. */
export function stubborn(): { readonly Graph: FlowClass; readonly running: Promise<void> } {
  const { opened, open } = gate();
  const does = (): Promise<never> => {
    open(undefined);
    return new Promise(() => undefined);
  };
  return { Graph: makeFlow({ wait: { does }, waiting: {}, next: { needs: ['wait'] } }, { maxParallelTasks: 1 }), running: opened };
}
