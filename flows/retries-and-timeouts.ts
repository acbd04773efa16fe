/**
 * What may go wrong with a call, and what each option does about it.
 *
 * A code flow, because here every failure is caught and looked at; in a static graph a failed task fails the run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';

/** An answer with a status that is no success. */
class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the service answered ${status}`);
    this.status = status;
  }
}

/** 5xx is the service's trouble and may pass; 4xx is ours and stays wrong however often it is asked. */
const isWorthRetrying = (error: unknown): boolean => !(error instanceof HttpError) || error.status >= 500;

@Flow({ description: 'A busy service, a wrong address, a slow answer and a loop without an end.', timeout: '1m' })
export class RetriesAndTimeouts {
  async run(_params: unknown, ctx: FlowContext) {
    return {
      busy: await settle(this.busyService(ctx)),
      wrong: await settle(this.wrongAddress()),
      slow: await settle(this.slowAnswer(ctx)),
      endless: await settle(this.endlessLoop()),
    };
  }

  // Waits of about 100, 200, 400 ms, each up to a quarter longer or shorter so that many clients do not come back at once.
  @Task({ retries: 4, retryDelay: '100ms', backoff: 'exponential', maxRetryDelay: '2s', jitter: 0.25, retryIf: isWorthRetrying })
  async busyService(ctx: TaskContext): Promise<string> {
    if (ctx.task.attempt < 3) throw new HttpError(503);
    return `answered at attempt ${ctx.task.attempt}`;
  }

  // Fails at once, although four retries are allowed.
  @Task({ retries: 4, retryDelay: '100ms', retryIf: isWorthRetrying })
  async wrongAddress(): Promise<string> {
    throw new HttpError(404);
  }

  // The timeout is per attempt. It aborts the signal: hand that on, and the work itself ends too.
  @Task({ timeout: '200ms' })
  async slowAnswer(ctx: TaskContext): Promise<string> {
    await sleep(60_000, undefined, { signal: ctx.signal });
    return 'never said';
  }

  // A loop that never gives way hears no signal. In a thread of its own it can be ended from outside.
  @Task({ isolate: 'thread', timeout: '500ms' })
  endlessLoop(): string {
    for (let turns = 0; ; turns++) if (turns < 0) return 'never said';
  }
}

/** The value of a call, or the message of its failure. */
async function settle(call: string | Promise<string>): Promise<string> {
  try {
    return await call;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
