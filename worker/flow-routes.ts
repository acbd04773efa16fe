/**
 * Tickets of flows unknown to this worker go to workers that know them: into a queue of those that know the same flows as one of them.
 *
 * Such queues are served only if the workers of a queue differ: a worker sees that in the list of workers, at its start and with each sign
 * of life, or is notified by the worker that leaves it the first ticket. Tickets in a queue whose workers are all gone are found by the
 * check for lost tickets.
 *
 * What is pinned to a version that no living worker has is parked; workers that have it look for it, at the same times.
 */
import type { Broker, NewTicket } from '../src/broker/broker.ts';
import type { EngineServices } from '../src/engine/services.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { type FlowWish, hasVersion } from '../src/model/pin.ts';
import { flowsKey, queueOfFlows, taskQueueOf, workerKey } from '../src/model/queue.ts';
import type { StoredWorker, Ticketed } from '../src/store/store.ts';
import type { WorkerQueues } from './queues.ts';

/** Carries the keys of workers for which there are tickets. */
const channel = 'batuta.flow-routes';
/** How long the list of workers is valid once read, ms. */
const listMs = 500;
/** Most parked work that is taken at once. */
const batch = 1_000;

export interface FlowRoutesOptions {
  readonly services: Pick<EngineServices, 'store' | 'owner' | 'settings' | 'leaseClock' | 'random'>;
  readonly broker: Broker;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly queues: Pick<WorkerQueues, 'names' | 'serveFlows' | 'isQuiet'>;
}

export class FlowRoutes {
  readonly #options: FlowRoutesOptions;
  #listed: Promise<readonly StoredWorker[]> | null = null;
  #listedAt = 0;
  #unsubscribe: () => void = () => undefined;

  constructor(options: FlowRoutesOptions) {
    this.#options = options;
  }

  /** To be called before others can see this worker. */
  async start(): Promise<void> {
    const { broker, queues } = this.#options;
    this.#unsubscribe = await broker.subscribe(channel, (key) => {
      if (key === this.#key || key === workerKey(this.#options.services.owner.id)) queues.serveFlows(key);
    });
  }

  stop(): void {
    this.#unsubscribe();
  }

  /** Serves what others leave to workers like this one, if there are others, and takes what is parked for a version that it has. */
  async look(): Promise<void> {
    const { queues } = this.#options;
    const key = this.#key;
    const others = (await this.#living()).filter((worker) => worker.queues.some((queue) => queues.names.includes(queue)));
    if (others.some(({ flows }) => flowsKey(flows) !== key)) queues.serveFlows(key);
    await this.#takeParked();
  }

  /**
   * Living workers of the queue (default: of any) that are wanted, and know the flow in another version than this one: those with most free
   * places; null: none.
   */
  async find(wanted: FlowWish, queue?: string): Promise<string | null> {
    const { flows, services } = this.#options;
    const own = flows.get(wanted.flow)?.version;
    const isWanted = ({ flows: theirs }: StoredWorker): boolean =>
      wanted.version === undefined ? Object.hasOwn(theirs, wanted.flow) && theirs[wanted.flow] !== own : hasVersion(theirs, wanted);
    const free = new Map<string, number>();
    for (const worker of await this.#living()) {
      if ((queue !== undefined && !worker.queues.includes(queue)) || !isWanted(worker)) continue;
      const key = flowsKey(worker.flows);
      free.set(key, (free.get(key) ?? 0) + Math.max(0, worker.concurrency - worker.running) + services.random());
    }
    const [most] = [...free].toSorted(([, left], [, right]) => right - left);
    return most?.[0] ?? null;
  }

  /**
   * The key of another living worker of the queue that knows the flow and has that many places, free at its last sign of life if `isFree`;
   * null: none. Also the places of the largest such worker.
   */
  async findPlaces(
    { queue, flow, slots }: { readonly queue: string; readonly flow: string; readonly slots: number },
    { isFree }: { readonly isFree: boolean },
  ): Promise<{ readonly key: string | null; readonly most: number }> {
    const knowing = (await this.#living()).filter((worker) => worker.queues.includes(queue) && Object.hasOwn(worker.flows, flow));
    const freeOf = ({ concurrency, running }: StoredWorker): number => concurrency - running;
    const [best] = knowing
      .filter((worker) => worker.concurrency >= slots && (!isFree || freeOf(worker) >= slots))
      .toSorted((left, right) => freeOf(right) - freeOf(left));
    return { key: best === undefined ? null : workerKey(best.id), most: Math.max(0, ...knowing.map(({ concurrency }) => concurrency)) };
  }

  /** Puts a ticket of this queue for such workers. */
  async leave(ticket: NewTicket, queue: string, key: string): Promise<void> {
    const { broker } = this.#options;
    await broker.put(ticket, { queue: queueOfFlows(ticket.kind === 'run' ? queue : taskQueueOf(queue), key) });
    await broker.notify(channel, key);
  }

  async #takeParked(): Promise<void> {
    const { services, broker, flows, queues } = this.#options;
    const { pins } = services.store;
    const versions = versionsOf(flows);
    for (const parked of queues.isQuiet ? [] : await pins.parked()) {
      const { work: kind, queue, wanted } = parked;
      if (!queues.names.includes(queue) || !hasVersion(versions, wanted)) continue;
      const key = this.#key;
      queues.serveFlows(key);
      let tickets: readonly Ticketed[];
      do {
        tickets = await pins.unpark(parked, batch);
        const put = tickets.map(({ id, epoch, priority }) => ({ kind, id, epoch, priority }));
        // While the broker is away: the check for lost tickets puts them later.
        if (put.length > 0)
          await broker.put(put, { queue: queueOfFlows(kind === 'run' ? queue : taskQueueOf(queue), key) }).catch(() => undefined);
      } while (tickets.length === batch && !queues.isQuiet);
    }
  }

  get #key(): string {
    return flowsKey(versionsOf(this.#options.flows));
  }

  /** The others with a sign of life within a lease. */
  async #living(): Promise<readonly StoredWorker[]> {
    const { store, owner, settings, leaseClock } = this.#options.services;
    const now = leaseClock.monotonic();
    if (this.#listed === null || now - this.#listedAt > listMs) {
      this.#listedAt = now;
      this.#listed = store.workers.list();
      this.#listed.catch(() => (this.#listed = null));
    }
    return (await this.#listed).filter(({ id, silentMs }) => id !== owner.id && silentMs <= settings.leaseMs);
  }
}

/** Versions of flows by name, as a worker announces them. */
export function versionsOf(flows: ReadonlyMap<string, FlowDefinition>): Readonly<Record<string, string>> {
  return Object.fromEntries([...flows.values()].map(({ name, version }) => [name, version]));
}
