/**
 * The workers' side of spread tasks: claims a task run by its ticket, executes it, records its end, and tells the owner of its run.
 *
 * It owns every task run it holds until that has ended or was given back, and keeps their leases. A ticket without a task run to claim is
 * dropped.
 */
import { BatutaError } from '../../base/errors.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { pinnedText, type RunPin } from '../../model/pin.ts';
import type { ClaimedTask, TaskClaim } from '../../store/store.ts';
import { SpreadRecorder } from './spread-recorder.ts';
import { Batcher } from '../batcher.ts';
import { OwnedTask } from './owned-task.ts';
import { type Held, HeldWork } from '../lease/held-work.ts';
import { Leases, leasesOfTasks } from '../lease/leases.ts';
import { pinnedElsewhere } from '../run/pinned.ts';
import type { EngineServices } from '../services.ts';
import type { Spread } from './spread.ts';

/** How long another worker has to take it, one that knows the task or has enough places, ms. */
const unfitDelayMs = 5_000;

export interface SpreadWorkerOptions {
  readonly services: EngineServices;
  readonly spread: Spread;
  /** Flows of this worker by name. */
  readonly flows: ReadonlyMap<string, FlowDefinition>;
}

export class SpreadWorker {
  readonly #options: SpreadWorkerOptions;
  readonly #claims: Batcher<string, ClaimedTask | null>;
  readonly #writer: SpreadRecorder;
  readonly #leases: Leases<TaskClaim>;
  readonly #held = new HeldWork<Held>();
  /** Flows and tasks unknown here that were already logged. */
  readonly #loggedUnknown = new Set<string>();

  constructor(options: SpreadWorkerOptions) {
    const { services } = options;
    const { store, settings, leaseClock, log, owner } = services;
    this.#options = options;
    this.#claims = new Batcher(async (ids) => {
      const claimed = new Map(await store.spread.claimMany(ids, owner, settings.leaseMs, settings.isAlone));
      // Of two tickets for one task run, the first gets it.
      return ids.map((id) => {
        const task = claimed.get(id) ?? null;
        claimed.delete(id);
        return task;
      });
    });
    this.#writer = new SpreadRecorder(store.spread);
    this.#leases = new Leases({ store: leasesOfTasks(store.spread), clock: leaseClock, log, settings });
  }

  /**
   * Works on a ticket until its task run has ended here or was given back. False if the task run was unavailable.
   *
   * @param wasLeft whether a worker that does not know the task has left it to this one
   * @param slots how many places there are for it
   * @throws BatutaError STORE_… the task run is found again once its lease is over
   */
  async execute(taskRunId: string, wasLeft = false, slots = 1): Promise<boolean> {
    if (this.#held.isClosing) return true;
    const askedAt = this.#options.services.leaseClock.monotonic();
    const ended = await this.#held.start(async () => {
      const claimed = await (slots === 1 ? this.#claims.add(taskRunId) : this.#claimHeavy(taskRunId, slots));
      return claimed && { promise: this.#execute(claimed, askedAt, wasLeft) };
    });
    await ended?.promise;
    return ended !== null;
  }

  /**
   * Claims a task run that no running worker is large enough for, says so in its row, and gives it back for later.
   *
   * @throws BatutaError STORE_…
   */
  async putOff(taskRunId: string, slots: number, message: string): Promise<void> {
    const claimed = await this.#claimHeavy(taskRunId, slots);
    if (claimed === null) return;
    if (claimed.taskRun.state.message !== message)
      this.#options.services.log.warn({ run: claimed.run.id, task: claimed.taskRun.name, slots }, message);
    await this.#giveBackSaying(claimed, message);
  }

  /** Lets what is held finish until the deadline, then gives the rest back. Takes nothing new from then on. */
  async handBack(deadlineMs: number): Promise<void> {
    const { leaseClock, owner } = this.#options.services;
    await this.#held.handBack(
      leaseClock,
      deadlineMs,
      new BatutaError('SHUTDOWN', `The process ${owner.id} was shut down; another takes the task.`),
    );
  }

  async #claimHeavy(taskRunId: string, slots: number): Promise<ClaimedTask | null> {
    const { store, owner, settings } = this.#options.services;
    return (await store.spread.claimMany([taskRunId], owner, settings.leaseMs, settings.isAlone, slots)).get(taskRunId) ?? null;
  }

  async #execute(claimed: ClaimedTask, askedAt: number, wasLeft: boolean): Promise<void> {
    const { services, flows, spread } = this.#options;
    const { run, taskRun, claim } = claimed;
    const definition = flows.get(run.flow);
    const known = definition?.tasks.get(taskRun.name);
    const pin = await pinnedElsewhere(services.store, run, definition, flows);
    if (!definition || !known || pin !== null) return this.#leaveToOthers(claimed, wasLeft, pin);
    if (services.lifecycle.isObserved) services.lifecycle.tell({ kind: 'claimed', run, taskRun });
    const confirmLease = (): Promise<void> | null => this.#leases.confirm(claim);
    const task = new OwnedTask({ services, claimed, definition, task: known, writer: this.#writer, confirmLease });
    this.#leases.hold({ claim, onLost: () => task.lose(), onCancel: () => task.cancel() }, askedAt);
    const running = task.run().finally(() => this.#leases.release(claim));
    const ended = running.then(async (end) => {
      if (end === 'ended') await spread.tell(run.id, taskRun.id);
      else if (end !== 'lost') await this.#giveBack(claim, end.dueAt);
    });
    const held: Held = { id: taskRun.id, ended, abandon: (reason) => task.abandon(reason) };
    this.#held.add(held);
    try {
      await ended;
    } finally {
      this.#held.remove(held);
    }
  }

  async #giveBack(claim: TaskClaim, dueAt: number | null): Promise<void> {
    const { services, spread } = this.#options;
    const ticket = await services.store.spread.release(claim, dueAt);
    if (ticket === null) return;
    await spread
      .put([ticket])
      .catch((error: unknown) =>
        services.log.warn({ err: error }, 'No worker could be woken for a spread task; the fleet will find it within seconds.'),
      );
  }

  /**
   * Gives it back, to a worker that knows it; if there is none, with a sentence on why nobody has taken it. If its run is pinned, it is
   * parked until a worker has the version.
   */
  async #leaveToOthers(claimed: ClaimedTask, wasLeft: boolean, pin: RunPin | null): Promise<void> {
    const { services, flows, spread } = this.#options;
    const { claim, run, taskRun, queue } = claimed;
    const wanted = pin ?? { flow: run.flow };
    if (!wasLeft && (await spread.isKnown?.(wanted, queue))) {
      const ticket = await services.store.spread.release(claim, null);
      if (ticket === null || (await spread.leave?.(ticket, wanted))) return;
      return spread.put([{ ...ticket, dueAt: services.clock.now() + unfitDelayMs }]);
    }
    const what = flows.has(run.flow) ? `the task ${taskRun.name} of the flow ${run.flow}` : `the flow ${run.flow}`;
    const message = pin === null ? `Waits for a worker that knows ${what}.` : pinnedText(pin, null);
    if (taskRun.state.message !== message) {
      const about = pin === null ? what : `version ${pin.version} of the flow ${pin.flow}, to which runs are pinned`;
      if (!this.#loggedUnknown.has(about))
        services.log.warn(
          { run: run.id, task: taskRun.name },
          `This worker does not know ${about}; their spread tasks are left to others.`,
        );
      this.#loggedUnknown.add(about);
    }
    if (pin === null) return this.#giveBackSaying(claimed, message);
    await this.#say(claimed, message);
    const ticket = await services.store.spread.release(claim, null);
    // Unless it was unpinned meanwhile.
    if (ticket !== null && !(await services.store.pins.park('task', ticket, pin))) await spread.put([ticket]);
  }

  /** Gives it back for later, with a sentence on why it waits. */
  async #giveBackSaying(claimed: ClaimedTask, message: string): Promise<void> {
    await this.#say(claimed, message);
    await this.#giveBack(claimed.claim, this.#options.services.clock.now() + unfitDelayMs);
  }

  async #say({ claim, taskRun }: ClaimedTask, message: string): Promise<void> {
    if (taskRun.state.message === message) return;
    const row = { ...taskRun, state: { ...taskRun.state, message } };
    await this.#options.services.store.spread.write([{ claim, taskRun: row, transitions: [], artifacts: [] }]);
  }
}
