/**
 * The workers' side of spread tasks: claims a task run by its ticket, executes it, records its end, and tells the owner of its run.
 *
 * It owns every task run it holds until that has ended or was given back, and keeps their leases. A ticket without a task run to claim
 * is dropped.
 */
import { BatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Claim, ClaimedTask, TaskClaim } from '../../store/store.ts';
import { ClaimedWriter } from './claimed-writer.ts';
import { Gather } from '../gather.ts';
import { HeldTask } from './held-task.ts';
import { Leases } from '../lease/leases.ts';
import type { EngineServices } from '../services.ts';
import type { Spread } from './spread.ts';

/** How long another worker has to come by for a task that is not known here, ms. */
const unknownDelayMs = 5_000;

export interface TaskExecutorOptions {
  readonly services: EngineServices;
  readonly spread: Spread;
  /** Flows of this worker by name. */
  readonly flows: ReadonlyMap<string, FlowDefinition>;
}

export class TaskExecutor {
  readonly #options: TaskExecutorOptions;
  readonly #claims: Gather<string, ClaimedTask | null>;
  readonly #writer: ClaimedWriter;
  readonly #leases: Leases;
  readonly #held = new Map<ClaimedTask, { readonly task: HeldTask; readonly ended: Promise<unknown> }>();
  /** Flows and tasks unknown here that the log has named already. */
  readonly #toldUnknown = new Set<string>();
  readonly #starting = new Set<Promise<unknown>>();
  #closing = false;

  constructor(options: TaskExecutorOptions) {
    const { services } = options;
    const { store, settings, leaseClock, log, owner } = services;
    this.#options = options;
    this.#claims = new Gather(async (ids) => {
      const claimed = new Map(await store.spread.claimMany(ids, owner, settings.leaseMs, settings.isAlone));
      // Of two tickets for one task run the first gets it.
      return ids.map((id) => {
        const task = claimed.get(id) ?? null;
        claimed.delete(id);
        return task;
      });
    });
    this.#writer = new ClaimedWriter(store.spread);
    const leased = (runId: string, epoch: number): TaskClaim => ({ taskRunId: runId, epoch });
    this.#leases = new Leases({
      clock: leaseClock,
      log,
      settings,
      store: {
        // The owner of a run may sit in this process, whose own writes change no version.
        dataVersion: () => null,
        recorder: { onFenced: () => undefined },
        runs: {
          renew: async (claims, leaseMs) => {
            const lost = await store.spread.renew(
              claims.map(({ runId, epoch }) => leased(runId, epoch)),
              leaseMs,
            );
            return lost.map(({ taskRunId, epoch }) => ({ runId: taskRunId, epoch }));
          },
          cancelRequested: (claims) => store.spread.toStop(claims.map(({ runId, epoch }) => leased(runId, epoch))),
        },
      },
    });
  }

  /**
   * Works on a ticket until its task run has ended here or was given back. False when the task run was not to be had.
   *
   * @param wasLeft whether a worker that does not know the task has left it to this one
   * @throws BatutaError STORE_… the task run is found again once its lease is over
   */
  async execute(taskRunId: string, wasLeft = false): Promise<boolean> {
    if (this.#closing) return true;
    const askedAt = this.#options.services.leaseClock.monotonic();
    const starting = this.#claims.add(taskRunId);
    this.#starting.add(starting);
    let claimed: ClaimedTask | null;
    let ended: Promise<void>;
    try {
      claimed = await starting;
      if (claimed === null) return false;
      ended = this.#execute(claimed, askedAt, wasLeft);
    } finally {
      this.#starting.delete(starting);
    }
    await ended;
    return true;
  }

  /** Lets what is held finish until the deadline, then gives the rest back. Takes nothing new from then on. */
  async handBack(deadlineMs: number): Promise<void> {
    const deadline = new AbortController();
    const late = this.#options.services.leaseClock.sleep(deadlineMs, deadline.signal).catch(() => undefined);
    const ended = async (): Promise<void> => {
      while (this.#held.size > 0 || this.#starting.size > 0)
        await Promise.allSettled([...this.#starting, ...[...this.#held.values()].map((one) => one.ended)]);
    };
    await Promise.race([ended(), late]);
    deadline.abort();
    this.#closing = true;
    const reason = new BatutaError('SHUTDOWN', `The process ${this.#options.services.owner.id} was shut down; another takes the task.`);
    while (this.#held.size > 0 || this.#starting.size > 0) {
      for (const { task } of this.#held.values()) task.abandon(reason);
      await Promise.allSettled([...this.#starting, ...[...this.#held.values()].map((one) => one.ended)]);
    }
  }

  async #execute(claimed: ClaimedTask, askedAt: number, wasLeft: boolean): Promise<void> {
    const { services, flows, spread } = this.#options;
    const { run, taskRun, claim } = claimed;
    const definition = flows.get(run.flow);
    const task = definition?.tasks.get(taskRun.name);
    if (!definition || !task) return this.#leaveToOthers(claimed, wasLeft);
    const lease: Claim = { runId: taskRun.id, epoch: claim.epoch };
    const confirmLease = (): Promise<void> | null => this.#leases.confirm(lease);
    const held = new HeldTask({ services, claimed, definition, task, writer: this.#writer, confirmLease });
    this.#leases.hold({ claim: lease, onLost: () => held.lose(), onCancel: () => held.cancel() }, askedAt);
    const running = held.run().finally(() => this.#leases.letGo(lease));
    const settled = running.then(async (end) => {
      if (end === 'ended') await spread.tell(run.id, taskRun.id);
      else if (end !== 'lost') await this.#giveBack(claim, end.dueAt);
    });
    this.#held.set(claimed, { task: held, ended: settled });
    try {
      await settled;
    } finally {
      this.#held.delete(claimed);
    }
  }

  async #giveBack(claim: TaskClaim, dueAt: number | null): Promise<void> {
    const { services, spread } = this.#options;
    const ticket = await services.store.spread.release(claim, dueAt);
    if (ticket === null) return;
    await spread
      .put([ticket])
      .catch((error: unknown) =>
        services.log.warn({ err: error }, 'Nobody could be woken for a spread task; the fleet will see it within seconds.'),
      );
  }

  /** Gives it back, to a worker that knows it; where there is none with a sentence that says why nobody has taken it. */
  async #leaveToOthers(claimed: ClaimedTask, wasLeft: boolean): Promise<void> {
    const { services, flows, spread } = this.#options;
    const { claim, run, taskRun } = claimed;
    if (!wasLeft && (await spread.isKnown?.(run.flow))) {
      const ticket = await services.store.spread.release(claim, null);
      if (ticket === null || (await spread.leave?.(ticket, run.flow))) return;
      return spread.put([{ ...ticket, dueAt: services.clock.now() + unknownDelayMs }]);
    }
    const what = flows.has(run.flow) ? `the task ${taskRun.name} of the flow ${run.flow}` : `the flow ${run.flow}`;
    const message = `Waits for a worker that knows ${what}.`;
    if (taskRun.state.message !== message) {
      if (!this.#toldUnknown.has(what))
        services.log.warn({ run: run.id, task: taskRun.name }, `This worker does not know ${what}; its spread tasks are left to others.`);
      this.#toldUnknown.add(what);
      const row = { ...taskRun, state: { ...taskRun.state, message } };
      await services.store.spread.write([{ claim, taskRun: row, transitions: [], artifacts: [] }]);
    }
    await this.#giveBack(claim, services.clock.now() + unknownDelayMs);
  }
}
