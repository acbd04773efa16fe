/** Replaces the code of tasks. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { TaskDefinition } from '../model/task.ts';

type Method = (...args: never[]) => unknown;

/** Per task: a function that runs in its place (same arguments), or the value it returns. */
export type Overrides<F> = {
  readonly [K in keyof F]?: F[K] extends Method ? F[K] | ((...args: Parameters<F[K]>) => unknown) | Awaited<ReturnType<F[K]>> : never;
};

/** The definition with these tasks replaced; the rest (needs, retries, timeouts) stays. @throws BatutaError USAGE if a name is not a task. */
export function withOverrides(definition: FlowDefinition, overrides: Readonly<Record<string, unknown>>): FlowDefinition {
  const tasks = new Map(definition.tasks);
  for (const [name, replacement] of Object.entries(overrides)) {
    const task = tasks.get(name);
    if (!task)
      throw new BatutaError(
        'USAGE',
        `${definition.className} has no task '${name}' to override.${hintFor(name, [...tasks.keys()], 'Its tasks are')}`,
      );
    // Arrow functions ignore the instance, methods get it.
    const method: TaskDefinition['method'] =
      typeof replacement === 'function' ? (replacement as TaskDefinition['method']) : () => replacement;
    tasks.set(name, { ...task, method });
  }
  return { ...definition, tasks };
}
