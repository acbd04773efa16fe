/** The scopes in which an engine opens resources: its own, and those of attempts of a run and of a task. */
import type { Logger } from 'pino';
import type { RunFacts, TaskFacts } from '../../model/context.ts';
import { type RunScope, runScope } from '../../model/run-context.ts';
import { noNamedValues } from '../../model/variable.ts';
import { followUse } from '../../resources/follow-use.ts';
import { ResourceScope } from '../../resources/scope.ts';
import type { EngineServices } from '../services.ts';
import { useNotes } from './resource-uses.ts';
import type { RunRecord } from './transition.ts';

/** What a scope needs from an attempt of a run. */
interface ScopedRun {
  readonly services: Pick<EngineServices, 'leaseClock' | 'clock' | 'makeId' | 'fakes' | 'resources' | 'namedValues'>;
  readonly record: Pick<RunRecord, 'noteResourceUse'>;
  readonly facts: RunFacts;
  readonly log: Logger;
  readonly resources: ResourceScope;
  takeParams(): unknown;
  scope(context: unknown, callTask: RunScope['callTask']): RunScope;
}

/** What a scope needs from an attempt of a task. */
interface ScopedTask extends RunScope {
  readonly active: ScopedRun;
  readonly runFacts: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly log: Logger;
  readonly params: unknown;
}

/** Open until the engine is closed. Its resources belong to no run, whichever asked first. */
export function processScope({
  leaseClock: clock,
  log,
  fakes = null,
  namedValues,
}: Pick<EngineServices, 'leaseClock' | 'log' | 'fakes' | 'namedValues'>): ResourceScope {
  const enter = <T>(work: () => T): T => runScope.exit(work);
  const source = { name: 'worker', clock, log, run: null, task: null, params: undefined, fakes, enter } as const;
  return new ResourceScope({ ...source, namedValues: () => namedValues ?? noNamedValues }, null);
}

/** Of an attempt of a run. */
export function scopeOfRun(active: ScopedRun): ResourceScope {
  const { services, facts: run, log } = active;
  const { leaseClock: clock, fakes = null, resources } = services;
  const source = {
    ...({ name: 'run', clock, log, run, task: null, fakes } as const),
    get params() {
      return active.takeParams();
    },
    enter: <T>(work: () => T): T => runScope.run(active.scope(null, null), work),
    namedValues: () => services.namedValues ?? noNamedValues,
    follow: (shown: string) => followUse(useNotes(services, active.record, { runId: run.id, taskRunId: null }), shown),
  };
  return new ResourceScope(source, resources);
}

/** Of an attempt of a task. */
export function scopeOfTask(attempt: ScopedTask): ResourceScope {
  const { active, runFacts: run, taskFacts: task, log } = attempt;
  const { services, record } = active;
  const { leaseClock: clock, fakes = null } = services;
  const source = {
    ...({ name: 'task', clock, log, run, task, fakes } as const),
    get params() {
      return attempt.params;
    },
    enter: <T>(work: () => T): T => runScope.run(attempt, work),
    namedValues: () => services.namedValues ?? noNamedValues,
    follow: (shown: string) => followUse(useNotes(services, record, { runId: run.id, taskRunId: attempt.taskRunId }), shown),
  };
  return new ResourceScope(source, active.resources);
}
