/** The queues that a worker serves, each with the one of its spread tasks beside it. */
import type { Broker, Consumer, Ticket } from '../src/broker/broker.ts';
import { taskQueueOf } from '../src/model/queue.ts';

export interface WorkerQueuesOptions {
  readonly broker: Broker;
  /** Places of each group of queues that is served together, for runs and as many again for spread tasks. */
  readonly concurrency: number;
  readonly onRun: (ticket: Ticket) => Promise<void>;
  readonly onTask: (ticket: Ticket) => Promise<void>;
}

export class WorkerQueues {
  readonly #options: WorkerQueuesOptions;
  readonly #names = new Set<string>();
  readonly #consumers: Consumer[] = [];
  #quiet = false;

  constructor(options: WorkerQueuesOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Runs and spread tasks under way. */
  get running(): number {
    return this.#consumers.reduce((sum, { running }) => sum + running, 0);
  }

  /** Serves those that are not served yet, the first named first; nothing once it was told to be quiet. @throws BatutaError NAME_INVALID */
  serve(queues: readonly string[]): void {
    const added = queues.filter((name) => !this.#names.has(name));
    if (added.length === 0 || this.#quiet) return;
    const { broker, concurrency, onRun, onTask } = this.#options;
    this.#consumers.push(broker.consume(added.map(taskQueueOf), { concurrency }, onTask), broker.consume(added, { concurrency }, onRun));
    for (const name of added) this.#names.add(name);
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
