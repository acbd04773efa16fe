/** Makes a flow class from a table, for tests that need many shapes or many tasks. */
import { Flow, type FlowClass, type FlowOptions, Task, type TaskOptions } from 'batuta';

export interface TaskShape extends Omit<TaskOptions, 'needs' | 'after' | 'each' | 'when'> {
  readonly needs?: readonly string[];
  readonly after?: readonly string[];
  readonly each?: string;
  readonly when?: (...args: never[]) => boolean | Promise<boolean>;
  /** Body of the method; default gives the task's name. */
  readonly does?: (...args: never[]) => unknown;
}

/** A static graph with these tasks, in this order. */
export function makeFlow(tasks: Readonly<Record<string, TaskShape>>, options: FlowOptions = {}): FlowClass {
  class Made {}
  for (const [name, { does, ...shape }] of Object.entries(tasks)) {
    Object.defineProperty(Made.prototype, name, { value: does ?? (() => name), configurable: true, writable: true });
    const decorate = Task(shape as TaskOptions) as unknown as MethodDecorator;
    const replaced = decorate(Made.prototype, name, Object.getOwnPropertyDescriptor(Made.prototype, name) ?? {});
    if (replaced) Object.defineProperty(Made.prototype, name, replaced);
  }
  (Flow({ name: 'made', ...options }) as unknown as (cls: FlowClass) => void)(Made);
  return Made;
}

/** A task that fails. */
export function failing(message = 'it broke'): () => never {
  return () => {
    throw new Error(message);
  };
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
