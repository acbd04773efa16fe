/**
 * The resources of tasks that run in their own thread or process. They are opened there, as values do not pass between threads: those of
 * scope `worker` stay until the guest ends, others are closed with their task.
 */
import type { Logger } from 'pino';
import { systemClock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { makeId } from '../base/id.ts';
import type { TaskContext } from '../model/context.ts';
import type { AnyResource } from '../model/resource.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import type { NamedValues } from '../model/secret.ts';
import { followUse } from '../resources/follow-use.ts';
import type { ScopeEnd } from '../resources/opened.ts';
import { type OpeningFollower, ResourceScope } from '../resources/scope.ts';

/** What a guest keeps across tasks. */
export interface WorkerScope {
  readonly scope: ResourceScope;
  /** Source of secrets, variables and connections: the running task. */
  values: (() => NamedValues) | null;
}

/** @param log for lines that belong to no task */
export function openWorkerScope(log: Logger): WorkerScope {
  const holder: { scope?: ResourceScope; values: WorkerScope['values'] } = { values: null };
  const enter = <T>(work: () => T): T => work();
  const namedValues = (): NamedValues => {
    if (holder.values !== null) return holder.values();
    throw new BatutaError(
      'RESOURCE_SCOPE',
      'No task is running, so nothing can be read: read secrets and variables when the resource is opened.',
    );
  };
  const source = { name: 'worker', clock: systemClock, log, run: null, task: null, params: undefined, fakes: null } as const;
  return Object.assign(holder, { scope: new ResourceScope({ ...source, namedValues, enter }, null) });
}

/** Opens resources for one execution of a task. */
export class GuestResources {
  readonly #scopes: readonly ResourceScope[];

  /**
   * @param context read only once something is opened
   * @param note called for each opening that belongs to the task, of scope `run` or `task`
   */
  constructor(context: () => TaskContext, namedValues: () => NamedValues, note: (use: ResourceUse) => void, worker: WorkerScope) {
    worker.values = namedValues;
    const follow = (shown: string): OpeningFollower => {
      const { run, task } = context();
      return followUse({ runId: run.id, taskRunId: task.id, now: () => systemClock.now(), makeId, note }, shown);
    };
    const open = (name: 'run' | 'task', parent: ResourceScope): ResourceScope =>
      new ResourceScope(
        {
          ...{ name, clock: systemClock, fakes: null, enter: (work) => work(), namedValues, follow },
          get log() {
            return context().log;
          },
          get run() {
            return context().run;
          },
          get task() {
            return name === 'task' ? context().task : null;
          },
          get params() {
            return context().params;
          },
        },
        parent,
      );
    const run = open('run', worker.scope);
    this.#scopes = [open('task', run), run];
  }

  async use(resource: AnyResource, key: unknown): Promise<unknown> {
    return this.#scopes[0]?.use(resource, key);
  }

  /** Closes all of them. @throws the first that could not be closed, unless the task failed anyway */
  async close(end: ScopeEnd): Promise<void> {
    let first: BatutaError | null = null;
    for (const scope of this.#scopes) {
      const [fault] = await scope.close(end ?? (first === null ? null : { error: first }));
      first ??= fault ?? null;
    }
    if (first !== null && end === null) throw first;
  }
}
