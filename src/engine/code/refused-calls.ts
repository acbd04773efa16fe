/** Calls of tasks that the body of a code flow may not make. */
import { BatutaError } from '../../base/errors.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

export function calledTooLate({ definition }: RunAttempt): BatutaError {
  return new BatutaError(
    'RUN_STATE_REFUSED',
    `The run of ${definition.name} had ended when a task was called. Await in run() whatever calls tasks.`,
  );
}

/** A detached method has no instance; one wrapped by a container is still an instance of its class. */
export function isOfAnotherClass(instance: unknown, own: object): instance is object {
  return typeof instance === 'object' && instance !== null && instance !== own && !(instance instanceof own.constructor);
}

export function foreignTask(instance: object, name: string, own: string): BatutaError {
  const other = instance.constructor.name;
  return new BatutaError(
    'TASK_FOREIGN',
    `${own}.run called ${other}.${name}, a task of another class; the tasks of a run are methods of its own. Start that flow with ctx.runFlow(${other}), let ${own} extend ${other}, or move what ${name} does into a function without @Task().`,
    { details: { class: own, other, task: name } },
  );
}
