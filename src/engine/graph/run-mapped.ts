/** A mapped task: one task run per item of a list, all or `eachLimit` at the same time. */
import { BatutaError } from '../../base/errors.ts';
import { inSlices } from '../../base/slices.ts';
import { failureOf } from '../../model/failure.ts';
import { stateOf } from '../../model/state.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { GivenList, RecordedValue, shared, take } from '../values/given-value.ts';
import { itemHash, itemText, matchItems } from './item-identity.ts';
import { outcomeOf, type TaskOutcome } from '../task/outcome.ts';
import { decodeValue } from '../values/results.ts';
import { runTask } from '../task/run-task.ts';
import { recordUnrun } from '../task/task-row.ts';
import type { TaskRequest } from '../task/task-request.ts';

/**
 * Items started before others get a turn of the event loop. Few: a database running on another processor gets its next rows only between
 * two turns, and recorded items are released while young, which spares the garbage collector most of its work.
 */
const startsPerTurn = 200;
/** Turns whose items may be waiting to be recorded; without a limit, a slow database would make all items pile up in memory. */
const maxTurnsAhead = 6;

/**
 * Runs a task for each item. List and inputs are given values, see `take`. If none failed, succeeds with the results of the items that
 * succeeded, in item order. A failed item does not stop the others.
 */
export async function runMapped(
  active: RunAttempt,
  definition: TaskDefinition,
  list: unknown,
  given: readonly unknown[],
): Promise<TaskOutcome> {
  const { value, isParted } = list instanceof RecordedValue ? list.take() : { value: take(list), isParted: list instanceof GivenList };
  const items = listOf(value);
  if (!items) return notAList(active, definition, value);
  active.record.tellMapped(definition.name, items.length);
  // Left by an attempt without a list: the row that stood for all items, which now have their own.
  if (active.recorded.has(definition.name))
    await recordUnrun(
      active,
      definition.name,
      definition.name,
      null,
      stateOf('COMPLETED', 'Skipped', 'Its items have task runs of their own.'),
    );
  const isRecorded = list instanceof RecordedValue || list instanceof GivenList;
  const before = active.recorded.size === 0 ? null : await active.activity.work(() => beforeOf(active, definition, items));
  return new MappedTask(active, definition, { items, isRecorded, isParted, before }, given).run();
}

/** Key of the task run for one item. */
export function itemKey(name: string, index: number): string {
  return `${name}[${index}]`;
}

/** What a group runs over. */
interface Items {
  readonly items: readonly unknown[];
  /** Whether they have a record; what is kept in memory only is passed on as it is. */
  readonly isRecorded: boolean;
  /** Whether they share no object. */
  readonly isParted: boolean;
  readonly before: Before | null;
}

/** The recorded rows of the items and their hashes. */
interface Before {
  readonly rows: readonly (TaskRun | undefined)[];
  readonly hashes: readonly string[];
}

class MappedTask {
  readonly #active: RunAttempt;
  readonly #definition: TaskDefinition;
  readonly #list: Items;
  readonly #items: readonly unknown[];
  /** The inputs that all items get. */
  readonly #shared: readonly unknown[];
  readonly #given: readonly unknown[];
  readonly #isSpread: boolean;
  /** Null if nothing is recorded. */
  readonly #before: Before | null;
  readonly #window: number;
  readonly #values: unknown[];
  /** 1 if the item succeeded. */
  readonly #succeeded: Uint8Array;
  #next = 0;
  #inFlight = 0;
  #turnAsked = false;
  readonly #turns: Promise<void>[] = [];
  #failed: TaskOutcome | null = null;
  #resolve: (outcome: TaskOutcome) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(active: RunAttempt, definition: TaskDefinition, list: Items, given: readonly unknown[]) {
    const { items } = list;
    this.#active = active;
    this.#definition = definition;
    this.#items = items;
    this.#list = list;
    this.#given = given;
    // A spread item reads its own copy.
    this.#isSpread = definition.spread && Boolean(active.services.spread);
    this.#shared = this.#isSpread ? given : given.map(shared);
    this.#before = list.before;
    // More than the flow's own limit would only queue for places.
    this.#window = Math.min(
      definition.eachLimit ?? Number.POSITIVE_INFINITY,
      active.definition.maxParallelTasks ?? Number.POSITIVE_INFINITY,
    );
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
    if (this.#turnAsked) this.#active.activity.end();
    this.#turnAsked = false;
    for (let started = 0; this.#next < this.#items.length && this.#inFlight < this.#window && !this.#active.stopReason; started++) {
      if (started === startsPerTurn) {
        this.#turnAsked = true;
        // A run whose items are still being started does not merely wait.
        this.#active.activity.begin();
        this.#askTurn();
        return;
      }
      this.#start(this.#next++);
    }
    if (this.#inFlight === 0 && (this.#next >= this.#items.length || this.#active.stopReason)) this.#finish();
  }

  #askTurn(): void {
    const { recorder } = this.#active.services.store;
    // If the store fails, waiters for their own rows get the error.
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
        this.#values[index] = outcome.given;
        this.#succeeded[index] = 1;
      } else if (outcome.kind === 'failed') this.#failed ??= outcome;
      if (!this.#turnAsked) this.#startSome();
    }, this.#reject);
  }

  #runItem(index: number): Promise<TaskOutcome> {
    const active = this.#active;
    const definition = this.#definition;
    const recorded = this.#before?.rows[index];
    const type = recorded?.state.type;
    if (recorded && (type === 'FAILED' || (type === 'COMPLETED' && (definition.persist || recorded.state.name === 'Skipped')))) {
      // For display: the list has changed, and the item is in another place.
      if (recorded.index !== index) active.record.touchTask({ ...recorded, index });
      return outcomeOf(active, recorded);
    }
    const item = this.#items[index];
    const text = itemText(item);
    const hash = this.#before?.hashes[index] ?? itemHash(item, text);
    return runTask(active, {
      definition,
      key: recorded?.key ?? this.#newKey(index, hash),
      index,
      args: text === null || !this.#list.isRecorded ? this.#argsOf(item) : this.#ownArgsOf(item, text),
      given: this.#isSpread ? [item, ...this.#given] : undefined,
      dependsOn: null,
      itemHash: hash,
    });
  }

  #argsOf(item: unknown): TaskRequest['args'] {
    const needs = this.#shared;
    return needs.length === 0 ? (context) => [item, context] : (context) => [item, ...needs.map(take), context];
  }

  /** An item of a parted list shares nothing: it is given away, once. */
  #ownArgsOf(item: unknown, text: string): TaskRequest['args'] {
    const needs = this.#shared;
    let isOwn = this.#list.isParted;
    return (context) => {
      const own = isOwn ? item : decodeValue(text);
      isOwn = false;
      return [own, ...needs.map(take), context];
    };
  }

  /** The key of an item without a row, whose place may be another's. */
  #newKey(index: number, hash: string): string {
    const key = itemKey(this.#definition.name, index);
    if (this.#before === null || !this.#active.recorded.has(key)) return key;
    let other = `${key}${hash.startsWith('#') ? hash : `#${hash}`}`;
    while (this.#active.recorded.has(other)) other += '+';
    return other;
  }

  #finish(): void {
    const { stopReason } = this.#active;
    if (stopReason) this.#resolve({ kind: 'cancelled', error: stopReason });
    else if (this.#failed) this.#resolve(this.#failed);
    else this.#resolve({ kind: 'succeeded', given: new GivenList(this.#values.filter((_, index) => this.#succeeded[index] === 1)) });
  }
}

async function beforeOf(active: RunAttempt, definition: TaskDefinition, items: readonly unknown[]): Promise<Before | null> {
  const recorded = await active.recordedItems(definition.name);
  if (recorded.length === 0) return null;
  const hashes: string[] = [];
  await inSlices(items, (item) => void hashes.push(itemHash(item, itemText(item))));
  return { rows: await matchItems(recorded, hashes), hashes };
}

function listOf(list: unknown): readonly unknown[] | null {
  if (Array.isArray(list)) return list;
  return typeof list === 'object' && list !== null && Symbol.iterator in list ? [...(list as Iterable<unknown>)] : null;
}

async function notAList(active: RunAttempt, definition: TaskDefinition, list: unknown): Promise<TaskOutcome> {
  const error = new BatutaError(
    'OPTION_INVALID',
    `Task ${definition.name} runs once per item of ${definition.each}, but that gave ${list === null ? 'null' : typeof list}. Return a list from ${definition.each}.`,
  );
  const failure = failureOf(error);
  await recordUnrun(active, definition.name, definition.name, null, stateOf('FAILED', 'Failed', failure.message), { error: failure });
  return { kind: 'failed', error, failure };
}
