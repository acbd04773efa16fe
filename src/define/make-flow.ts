/** Makes a flow without decorators, from a class written by other code: its tasks are passed in. */
import type { FlowClass } from '../model/flow-types.ts';
import { checkDeclaration } from './declaration.ts';
import { noteClass } from './declared-classes.ts';
import { type FlowPlan, type Method, readOwnTasks, writeFlow, writePlan, writeTask } from './metadata.ts';
import { wrap } from './task.ts';

/** A task to be: as `@Task(options)` on a method of that name. */
export interface MadeTask {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly method: Method;
}

/** Input of `makeFlow`. */
export interface FlowMaking {
  /** As in `@Flow`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Absolute path of the file that makes it, if known. */
  readonly file: string | null;
  readonly tasks: readonly MadeTask[];
  readonly plan: FlowPlan;
}

/**
 * Makes a class with `run(params, ctx)` a flow. Returns its body's task functions, each with an instance as `this`.
 *
 * @throws BatutaError as `@Flow` and `@Task` do
 */
export function makeFlow(cls: FlowClass, { options, file, tasks, plan }: FlowMaking): ReadonlyMap<string, Method> {
  const prototype = cls.prototype as object;
  const calls = new Map<string, Method>();
  for (const { name, options: taskOptions, method } of tasks) {
    writeTask({ prototype }, { name, options: taskOptions, method });
    calls.set(name, wrap(name, method));
  }
  const record = { options, file };
  writeFlow(cls, undefined, record);
  writePlan(cls, plan);
  checkDeclaration(cls, record, readOwnTasks(cls).values());
  noteClass(cls, file);
  return calls;
}
