/** Flows of the tests of rates. What begins is a line of a ledger, as in `fleet-flows.ts`. */
import { appendFileSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';

interface Params {
  readonly ledger: string;
}

/** Starts a second that the flow allows. */
const perSecond = Number(process.env['RATE_PER_SECOND'] ?? 20);

function note({ run, task, params }: TaskContext<Params>): void {
  appendFileSync(params.ledger, `${run.id} ${task.name} start ${Date.now()} ${process.pid}\n`);
}

@Flow({ rateLimit: { limit: perSecond, per: '1s' } })
export class RatedRun {
  @Task()
  async step(ctx: TaskContext<Params>): Promise<void> {
    note(ctx);
  }
}

/** Its task is under whatever rate the tag has. */
@Flow()
export class RatedTask {
  @Task({ tags: ['rated'] })
  async step(ctx: TaskContext<Params>): Promise<void> {
    note(ctx);
  }
}
