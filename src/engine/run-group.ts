/** A mapped task: one task run per item of a list, all or `eachLimit` at the same time. */
import { BatutaError } from '../base/errors.ts';
import { failureOf } from '../model/failure.ts';
import { stateOf } from '../model/state.ts';
import type { TaskDefinition } from '../model/task.ts';
import type { ActiveRun } from './active-run.ts';
import { outcomeOf, type TaskOutcome } from './outcome.ts';
import { runTask } from './run-task.ts';
import { recordUnrun } from './task-row.ts';

/**
 * Items started before others get a turn of the event loop. Few: a database at work on another processor is given its next rows only
 * between two turns, and what has been recorded is let go of before it has grown old, which spares the garbage collector most of its work.
 */
const startsPerTurn = 200;
/** Turns whose items may be on their way into the record; more wait, or a slow database would have all items pile up in memory. */
const maxTurnsAhead = 6;

/**
 * Runs a task for each item. Succeeds with the results of the items that succeeded, in the order of the items, when none failed.
 * A failed item does not stop the others.
 */
export async function runGroup(
  active: ActiveRun,
  definition: TaskDefinition,
  list: unknown,
  inputs: readonly unknown[],
): Promise<TaskOutcome> {
  const items = listOf(list);
  if (!items) return notAList(active, definition, list);
  active.record.tellMapped(definition.name, items.length);
  // Left of an attempt in which there was no list: the row that stood for all items, which have their own now.
  if (active.recorded.has(definition.name))
    await recordUnrun(
      active,
      definition.name,
      definition.name,
      null,
      stateOf('COMPLETED', 'Skipped', 'Its items have task runs of their own.'),
    );
  return new GroupRun(active, definition, items, inputs).run();
}

/** Key of the task run for one item. */
export function itemKey(name: string, index: number): string {
  return `${name}[${index}]`;
}

class GroupRun {
  readonly #active: ActiveRun;
  readonly #definition: TaskDefinition;
  readonly #items: readonly unknown[];
  readonly #inputs: readonly unknown[];
  readonly #window: number;
  readonly #values: unknown[];
  /** 1 where the item succeeded. */
  readonly #succeeded: Uint8Array;
  #next = 0;
  #inFlight = 0;
  #turnAsked = false;
  readonly #turns: Promise<void>[] = [];
  #failed: TaskOutcome | null = null;
  #resolve: (outcome: TaskOutcome) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(active: ActiveRun, definition: TaskDefinition, items: readonly unknown[], inputs: readonly unknown[]) {
    this.#active = active;
    this.#definition = definition;
    this.#items = items;
    this.#inputs = inputs;
    // More than the flow's own limit would only queue up for places.
    this.#window = Math.min(definition.eachLimit ?? Number.POSITIVE_INFINITY, active.definition.concurrency ?? Number.POSITIVE_INFINITY);
    this.#values = new Array<unknown>(items.length);
    this.#succeeded = new Uint8Array(items.length);
  }

  run(): Promise<TaskOutcome> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#startSome();
    });
  }

  #startSome(): void {
    if (this.#turnAsked) this.#active.parking.end();
    this.#turnAsked = false;
    for (let started = 0; this.#next < this.#items.length && this.#inFlight < this.#window && !this.#active.stopReason; started++) {
      if (started === startsPerTurn) {
        this.#turnAsked = true;
        // A run whose items are still being started does not only wait.
        this.#active.parking.begin();
        this.#askTurn();
        return;
      }
      this.#start(this.#next++);
    }
    if (this.#inFlight === 0 && (this.#next >= this.#items.length || this.#active.stopReason)) this.#finish();
  }

  #askTurn(): void {
    const { recorder } = this.#active.services.store;
    // A store that fails tells those who wait for their own rows.
    this.#turns.push(recorder.flush().catch(() => undefined));
    const next = (): void => void setImmediate(() => this.#startSome());
    if (this.#turns.length < maxTurnsAhead) next();
    else this.#turns.shift()?.then(next, this.#reject);
  }

  #start(index: number): void {
    this.#inFlight++;
    this.#runItem(index).then((outcome) => {
      this.#inFlight--;
      if (outcome.kind === 'succeeded') {
        this.#values[index] = outcome.value;
        this.#succeeded[index] = 1;
      } else if (outcome.kind === 'failed') this.#failed ??= outcome;
      if (!this.#turnAsked) this.#startSome();
    }, this.#reject);
  }

  #runItem(index: number): Promise<TaskOutcome> {
    const key = itemKey(this.#definition.name, index);
    const recorded = this.#active.recorded.get(key);
    const type = recorded?.state.type;
    if (recorded && (type === 'FAILED' || (type === 'COMPLETED' && (this.#definition.persist || recorded.state.name === 'Skipped'))))
      return outcomeOf(this.#active, recorded);
    const item = this.#items[index];
    return runTask(this.#active, {
      definition: this.#definition,
      key,
      index,
      args: (context) => [item, ...this.#inputs, context],
      dependsOn: null,
    });
  }

  #finish(): void {
    const { stopReason } = this.#active;
    if (stopReason) this.#resolve({ kind: 'cancelled', error: stopReason });
    else if (this.#failed) this.#resolve(this.#failed);
    else this.#resolve({ kind: 'succeeded', value: this.#values.filter((_, index) => this.#succeeded[index] === 1) });
  }
}

function listOf(list: unknown): readonly unknown[] | null {
  if (Array.isArray(list)) return list;
  return typeof list === 'object' && list !== null && Symbol.iterator in list ? [...(list as Iterable<unknown>)] : null;
}

async function notAList(active: ActiveRun, definition: TaskDefinition, list: unknown): Promise<TaskOutcome> {
  const error = new BatutaError(
    'OPTION_INVALID',
    `Task ${definition.name} runs once per item of ${definition.each}, but that gave ${list === null ? 'null' : typeof list}. Return a list from ${definition.each}.`,
  );
  const failure = failureOf(error);
  await recordUnrun(active, definition.name, definition.name, null, stateOf('FAILED', 'Failed', failure.message), failure);
  return { kind: 'failed', error, failure };
}
