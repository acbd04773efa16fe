/** Flows of the tests of rates. What begins is a line of a ledger, as in `fleet-flows.ts`; how late the process is, a line of another beside it. */
import { appendFileSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';

interface Params {
  readonly ledger: string;
}

/** Starts a second that the flow allows. */
const perSecond = Number(process.env['RATE_PER_SECOND'] ?? 20);
/** Between two looks how late this process is, ms. */
const lookMs = 20;

let isLooking = false;

function note({ run, task, params }: TaskContext<Params>): void {
  appendFileSync(params.ledger, `${run.id} ${task.name} start ${Date.now()} ${process.pid}\n`);
  noteLateness(`${params.ledger}-late`);
}

/** From the first start on, each second: when, the process, and how late a timer was in the mean, ms. */
function noteLateness(file: string): void {
  if (isLooking) return;
  isLooking = true;
  let [due, late, looks] = [performance.now() + lookMs, 0, 0];
  setInterval(() => {
    late += Math.max(0, performance.now() - due);
    due = performance.now() + lookMs;
    if (++looks < 1_000 / lookMs) return;
    appendFileSync(file, `${Date.now()} ${process.pid} ${(late / looks).toFixed(2)}\n`);
    [late, looks] = [0, 0];
  }, lookMs).unref();
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
