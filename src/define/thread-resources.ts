/** The resources of a task that runs in a thread. They are opened in the thread, for values do not pass between threads, and closed with the task. */
import { systemClock } from '../base/clock.ts';
import type { BatutaError } from '../base/errors.ts';
import { makeId } from '../base/id.ts';
import type { TaskContext } from '../model/context.ts';
import type { AnyResource, ResourceScopeName } from '../model/resource.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import type { NamedValues } from '../model/secret.ts';
import { followUse } from '../resources/follow-use.ts';
import type { ScopeEnd } from '../resources/opened.ts';
import { type OpeningFollower, ResourceScope } from '../resources/scope.ts';

/** Opens resources for one execution of a task. */
export class ThreadResources {
  readonly #scopes: readonly ResourceScope[];

  /**
   * @param context read only once something is opened
   * @param note hears of each opening; all belong to the task, whatever the scope of the resource
   */
  constructor(context: () => TaskContext, namedValues: () => NamedValues, note: (use: ResourceUse) => void) {
    const follow = (shown: string): OpeningFollower => {
      const { run, task } = context();
      return followUse({ runId: run.id, taskRunId: task.id, now: () => systemClock.now(), makeId, note }, shown);
    };
    const open = (name: ResourceScopeName, parent: ResourceScope | null): ResourceScope =>
      new ResourceScope(
        {
          ...{ name, clock: systemClock, fakes: null, enter: (work) => work(), namedValues, follow },
          get log() {
            return context().log;
          },
          get run() {
            return name === 'worker' ? null : context().run;
          },
          get task() {
            return name === 'task' ? context().task : null;
          },
          get params() {
            return name === 'worker' ? undefined : context().params;
          },
        },
        parent,
      );
    const worker = open('worker', null);
    const run = open('run', worker);
    this.#scopes = [open('task', run), run, worker];
  }

  async use(resource: AnyResource, key: unknown): Promise<unknown> {
    return this.#scopes[0]?.use(resource, key);
  }

  /** Closes all of them. @throws the first that could not be closed, unless the task has failed anyway */
  async close(end: ScopeEnd): Promise<void> {
    let first: BatutaError | null = null;
    for (const scope of this.#scopes) {
      const [fault] = await scope.close(end ?? (first === null ? null : { error: first }));
      first ??= fault ?? null;
    }
    if (first !== null && end === null) throw first;
  }
}
