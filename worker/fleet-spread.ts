/** Carries spread tasks over the broker: their tickets, and the news of their ends. */
import type { Logger } from 'pino';
import type { Clock } from '../src/base/clock.ts';
import { BatutaError } from '../src/base/errors.ts';
import type { Broker } from '../src/broker/broker.ts';
import type { Spread } from '../src/engine/spread/spread.ts';
import type { FlowWish } from '../src/model/pin.ts';
import type { Ticketed } from '../src/store/store.ts';
import type { FlowRoutes } from './flow-routes.ts';
import { putTickets, taskChannelOf, tellTaskEnd } from '../src/upkeep/parts.ts';

export interface FleetSpreadOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Made before the engine, which needs it; `connect` follows once there is a broker, before anything is executed. */
export class FleetSpread implements Spread {
  readonly #options: FleetSpreadOptions;
  #broker: Broker | null = null;
  #routes: FlowRoutes | null = null;

  constructor(options: FleetSpreadOptions) {
    this.#options = options;
  }

  connect(broker: Broker): void {
    this.#broker = broker;
  }

  leaveBy(routes: FlowRoutes): void {
    this.#routes = routes;
  }

  async isKnown(wanted: FlowWish, queue: string): Promise<boolean> {
    return (await this.#routes?.find(wanted, queue)) != null;
  }

  async leave({ id, epoch, priority, queue }: Ticketed, wanted: FlowWish): Promise<boolean> {
    const key = await this.#routes?.find(wanted, queue);
    if (key) await this.#routes?.leave({ kind: 'task', id, epoch, priority }, queue, key);
    return Boolean(key);
  }

  async put(tickets: readonly Ticketed[]): Promise<void> {
    await putTickets({ broker: this.#connected(), log: this.#options.log }, tickets, this.#options.clock.now(), 'task');
  }

  async tell(runId: string, taskRunId: string): Promise<void> {
    await tellTaskEnd(this.#connected(), runId, taskRunId);
  }

  async listen(runId: string, listener: (taskRunId: string) => void): Promise<() => void> {
    try {
      return await this.#connected().subscribe(taskChannelOf(runId), listener);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'The ends of spread tasks will be found by polling, up to a second later.');
      return () => undefined;
    }
  }

  #connected(): Broker {
    if (this.#broker) return this.#broker;
    throw new BatutaError('INTERNAL', 'A spread task was met before there was a broker.');
  }
}
