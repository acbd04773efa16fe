/** The scope of a run's code outside tasks: the body of a code flow, hooks, the making of its instance. */
import type { Logger } from 'pino';
import type { BatutaError } from '../../base/errors.ts';
import { callOutside, currentScope, type EscapeKind, type RunScope } from '../../model/run-context.ts';
import { escapedError } from '../../model/escaped-error.ts';
import type { Run } from '../../model/run.ts';
import { type Submitted, submittedIn } from '../../model/submitted.ts';

/**
 * Scope for functions of a flow called before a run begins: for the key of its limit, or by its schema. Errors that escape them are logged
 * and affect nothing else.
 */
export function scopeBefore(log: Logger, definition: ScopedRun['definition'], run: Run): FlowScope {
  const escape = (error: BatutaError): void => log.error({ err: error, runId: run.id }, error.message);
  return new FlowScope({ run, definition, submitted: submittedIn(run.params), log, escape }, null, null);
}

/**
 * Calls functions of a flow for something other than one of its runs: its schema where a run is submitted or a deployment made, its keys and
 * names, the weights of its keys. Errors that escape them are logged and affect nothing else; within a run they are that run's.
 */
export function outsideRuns<T>(log: Logger, { name: flow }: ScopedRun['definition'], work: () => T): T {
  if (currentScope()?.escaped) return work();
  const escaped = (thrown: unknown, how: EscapeKind): void => {
    const error = escapedError(thrown, how, `the flow ${flow}`);
    log.error({ err: error, flow }, error.message);
  };
  return callOutside({ runId: '', flow, task: null, escaped }, work);
}

/** What it needs of the run. */
interface ScopedRun {
  readonly run: { readonly id: string; readonly attempt: number };
  readonly definition: { readonly name: string };
  readonly submitted: Submitted;
  readonly log: Logger;
  escape(error: BatutaError, log: Logger): void;
}

/** The scope of a run as a whole. */
export class FlowScope implements RunScope {
  readonly #active: ScopedRun;
  readonly runId: string;
  readonly taskRunId = null;
  readonly flow: string;
  readonly task = null;
  readonly attempt: number;
  readonly context: unknown;
  readonly callTask: RunScope['callTask'];

  constructor(active: ScopedRun, context: unknown, callTask: RunScope['callTask']) {
    this.#active = active;
    this.runId = active.run.id;
    this.flow = active.definition.name;
    this.attempt = active.run.attempt;
    this.context = context;
    this.callTask = callTask;
  }

  get traceparent(): string | null {
    return this.#active.submitted.traceparent ?? null;
  }

  logger(): Logger {
    return this.#active.log;
  }

  escaped(error: unknown, how: EscapeKind): void {
    this.#active.escape(escapedError(error, how, `the flow ${this.flow}`), this.#active.log);
  }
}
