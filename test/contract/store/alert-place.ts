/** A store and a receiver of what its alerts send, new for each test of a `describe`. */
import { afterAll, afterEach, beforeEach } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { emptyAlerts, openReceiver, type Receiver } from '../../support/alerts.ts';
import { type makers, type Place, placesOf } from './makers.ts';
import { endRun, startRun } from './rows.ts';

export interface AlertPlace {
  readonly here: Place;
  readonly store: Store;
  readonly receiver: Receiver;
  /** An action that posts to the receiver. */
  readonly webhook: { readonly webhook: string };
  /** Has a run end. */
  end(flow: string, type?: 'COMPLETED' | 'FAILED', changes?: object): Promise<void>;
  /** Group, state and count of the alerts of a rule, last found first. */
  stateOf(rule: string): Promise<unknown[]>;
}

/** Gives the `describe` that calls it a place of its own; its members hold while a test runs. */
export function useAlertPlace(maker: (typeof makers)[number]): AlertPlace {
  const places = placesOf(maker, emptyAlerts);
  let here: Place;
  let store: Store;
  let receiver: Receiver;
  beforeEach(async () => {
    here = await places.make();
    store = await here.open();
    receiver = await openReceiver();
  });
  afterEach(async () => {
    await receiver.close();
    await here.remove();
  });
  afterAll(() => places.drop());
  return {
    get here() {
      return here;
    },
    get store() {
      return store;
    },
    get receiver() {
      return receiver;
    },
    get webhook() {
      return { webhook: receiver.url };
    },
    async end(flow, type = 'FAILED', changes = {}) {
      await endRun(store, await startRun(store, { flow, ...changes }), type, Date.now());
    },
    async stateOf(rule) {
      return (await store.alerts.list({ rule })).items.map(({ group, state, count }) => [group, state, count]);
    },
  };
}
