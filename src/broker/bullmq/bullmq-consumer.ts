/**
 * A consumer over BullMQ: one BullMQ worker per queue, all sharing the consumer's places, and a watchdog over them.
 *
 * A worker counts as deaf if it has a free place and has not asked for a ticket for `deafAfterMs` although the broker answers: its
 * connections died silently, or it never got one. Then all the consumer's workers are replaced, with new connections. Running handlers
 * continue; their tickets come back later and are dropped, as there is nothing left to claim.
 */
import { settledWithin } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { makeLoop } from '../../base/loop.ts';
import type { Loop } from '../../base/loop.ts';
import type { Consumer, Ticket, TicketHandler } from '../broker.ts';
import { checkQueueName } from '../checks.ts';
import { type HeldPlaces, Places } from '../places.ts';
import { TicketWorker } from './ticket-worker.ts';
import type { Wire } from './wire.ts';

export interface BullmqConsumerOptions {
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly handler: TicketHandler;
  readonly wire: Wire;
  readonly visibilityMs: number;
  readonly deafAfterMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  readonly onClosed: (consumer: BullmqConsumer) => unknown;
}

/** The workers over one connection. */
interface Crew {
  readonly workers: TicketWorker[];
  readonly connection: object;
  close(): void;
}

const defaultDeadlineMs = 30_000;
/** Longest wait of a worker without a wake-up, ms; polling is most of what an idle process does. */
const lookEveryMs = 3_000;
/** How long `close` waits for the broker to remove tickets of ended handlers, ms. */
const confirmMs = 3_000;

export class BullmqConsumer implements Consumer {
  readonly #options: BullmqConsumerOptions;
  /** With their ranks. */
  readonly #queues: Map<string, number>;
  readonly #places: Places;
  readonly #working = new Map<Ticket, HeldPlaces>();
  readonly #watchdog: Loop;
  #crew: Crew;
  #idle: (() => void) | undefined;
  #closed: Promise<readonly Ticket[]> | undefined;

  constructor(options: BullmqConsumerOptions) {
    this.#options = options;
    this.#queues = new Map(options.queues.map((queue, rank) => [queue, rank]));
    this.#places = new Places(options.concurrency);
    this.#crew = this.#makeCrew();
    this.#watchdog = makeLoop({
      name: 'broker: watchdog',
      intervalMs: options.deafAfterMs / 4,
      immediate: false,
      step: () => this.#watch(),
      // The broker does not answer, so the workers are not deaf.
      onError: () => undefined,
      maxBackoffMs: options.deafAfterMs / 4,
      clock: options.clock,
      random: options.random,
    });
    this.#watchdog.start().catch(options.onError);
  }

  get running(): number {
    return this.#working.size;
  }

  get placesUsed(): number {
    let sum = 0;
    for (const { count } of this.#working.values()) sum += count;
    return sum;
  }

  serveFirst(queue: string): void {
    checkQueueName(queue);
    if (this.#queues.has(queue) || this.#places.closed) return;
    const rank = Math.min(0, ...this.#queues.values()) - 1;
    this.#queues.set(queue, rank);
    this.#crew.workers.push(this.#makeWorker(queue, rank, this.#crew.connection));
  }

  async quiet(): Promise<void> {
    this.#places.close();
    for (const worker of this.#crew.workers) worker.stopTaking();
  }

  close({ deadlineMs = defaultDeadlineMs }: { readonly deadlineMs?: number } = {}): Promise<readonly Ticket[]> {
    this.#closed ??= this.#end(deadlineMs);
    return this.#closed;
  }

  #makeCrew(isAnew = false): Crew {
    const { connection, close } = this.#options.wire.openTaking(isAnew);
    const workers = [...this.#queues].map(([queue, rank]) => this.#makeWorker(queue, rank, connection));
    return { workers, connection, close };
  }

  #makeWorker(queue: string, rank: number, connection: object): TicketWorker {
    return new TicketWorker({
      ...{ ...this.#options, queue, rank, connection, places: this.#places },
      lookEveryMs: Math.min(lookEveryMs, this.#options.deafAfterMs / 4),
      work: (ticket) => this.#work(ticket, queue),
    });
  }

  /** True if the ticket is to be given back. */
  async #work(ticket: Ticket, queue: string): Promise<boolean> {
    const places = this.#places.hold();
    this.#working.set(ticket, places);
    let isGivenBack = false;
    try {
      await this.#options.handler(ticket, { queue, places, giveBack: () => (isGivenBack = true) });
    } catch (error) {
      this.#options.onError(error);
    }
    const ending = places.end();
    if (ending !== null) await ending;
    this.#working.delete(ticket);
    if (this.#working.size === 0) this.#idle?.();
    return isGivenBack;
  }

  async #watch(): Promise<void> {
    const { clock, concurrency, deafAfterMs, wire, onError } = this.#options;
    const queues = [...this.#queues.keys()];
    const isDeaf = (): boolean => {
      // Only those of running handlers count: a ticket that cannot be removed holds one after its handler has ended.
      if (this.#places.closed || this.#places.isKept || this.placesUsed >= concurrency) return false;
      const { workers } = this.#crew;
      const isSilent = ({ lookedAt }: TicketWorker): boolean => clock.monotonic() - lookedAt > deafAfterMs;
      return workers.every(isSilent) || workers.some((worker) => !worker.looping || (isSilent(worker) && !worker.parked));
    };
    if (!isDeaf()) return;
    await wire.answerOf(() => wire.ping());
    if (!isDeaf()) return;
    onError(
      new BatutaError(
        'BROKER_UNAVAILABLE',
        `The consumer of ${queues.join(', ')} heard nothing from ${wire.url} for ${deafAfterMs} ms and reconnected.`,
        { details: { broker: wire.url, queues } },
      ),
    );
    const deaf = this.#crew;
    this.#crew = this.#makeCrew(true);
    await endCrew(deaf);
  }

  async #end(deadlineMs: number): Promise<readonly Ticket[]> {
    const { clock, onClosed } = this.#options;
    await this.quiet();
    await this.#watchdog.stop();
    if (this.#working.size > 0) await settledWithin(clock, deadlineMs, new Promise<void>((resolve) => (this.#idle = resolve)));
    const left = [...this.#working.keys()];
    // Tickets of ended handlers are removed; others are given back, if the broker is reachable.
    const settled =
      left.length === 0 ? this.#places.whenEmpty() : Promise.allSettled(this.#crew.workers.map((worker) => worker.giveBack()));
    await settledWithin(clock, confirmMs, settled);
    await endCrew(this.#crew);
    onClosed(this);
    return left;
  }
}

async function endCrew({ workers, close }: Crew): Promise<void> {
  await Promise.all(workers.map((worker) => worker.end()));
  close();
}
