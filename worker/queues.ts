/** The queues that a worker serves, each together with its queue of spread tasks. */
import type { Broker, Consumer, Delivery, Ticket } from '../src/broker/broker.ts';
import { queueOfFlows, taskQueueOf } from '../src/model/queue.ts';

export interface WorkerQueuesOptions {
  readonly broker: Broker;
  /** Places of each group of queues served together, for runs and as many again for spread tasks. */
  readonly concurrency: number;
  readonly onRun: (ticket: Ticket, delivery: Delivery) => Promise<void>;
  readonly onTask: (ticket: Ticket, delivery: Delivery) => Promise<void>;
}

export class WorkerQueues {
  readonly #options: WorkerQueuesOptions;
  readonly #names = new Set<string>();
  readonly #consumers: Consumer[] = [];
  /** For runs and for spread tasks, with the queues they were made for. */
  readonly #groups: { readonly names: readonly string[]; readonly runs: Consumer; readonly tasks: Consumer }[] = [];
  readonly #keys = new Set<string>();
  #quiet = false;

  constructor(options: WorkerQueuesOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Which of these queues a delivery came from, directly or as its spread tasks; null if another worker left it to this one. */
  ownName(queue: string): string | null {
    return this.names.find((name) => name === queue || taskQueueOf(name) === queue) ?? null;
  }

  /** Places occupied by running runs and spread tasks. */
  get placesUsed(): number {
    return this.#consumers.reduce((sum, { placesUsed }) => sum + placesUsed, 0);
  }

  /** Serves those not served yet, the first named first; nothing once `quiet` was called. @throws BatutaError NAME_INVALID */
  serve(queues: readonly string[]): void {
    const added = queues.filter((name) => !this.#names.has(name));
    if (added.length === 0 || this.#quiet) return;
    const { broker, concurrency, onRun, onTask } = this.#options;
    const tasks = broker.consume(added.map(taskQueueOf), { concurrency }, onTask);
    const runs = broker.consume(added, { concurrency }, onRun);
    this.#consumers.push(tasks, runs);
    this.#groups.push({ names: added, runs, tasks });
    for (const name of added) this.#names.add(name);
    for (const key of this.#keys) this.#serveKey(key);
  }

  /** Also serves, and first, what other workers of these queues leave to those that know certain flows; see `flowsKey`. */
  serveFlows(key: string): void {
    if (this.#quiet || this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#serveKey(key);
  }

  #serveKey(key: string): void {
    for (const { names, runs, tasks } of this.#groups) {
      for (const name of names) {
        runs.serveFirst(queueOfFlows(name, key));
        tasks.serveFirst(queueOfFlows(taskQueueOf(name), key));
      }
    }
  }

  /** Whether nothing new is taken any more. */
  get isQuiet(): boolean {
    return this.#quiet;
  }

  /** Takes nothing new from now on. */
  async quiet(): Promise<void> {
    this.#quiet = true;
    await Promise.all(this.#consumers.map((consumer) => consumer.quiet()));
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close({ deadlineMs })));
  }
}
