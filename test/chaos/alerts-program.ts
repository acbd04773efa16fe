/** A scheduler's part in alerts, in a process that the test of alerts kills: it dies of SIGKILL at a certain step, or ends once all is sent. */
import { deliverOnce, evaluateAll, alertParts } from '../support/alerts.ts';
import { openStore } from '../../src/store/open.ts';
import type { AlertStore, Store } from '../../src/store/store.ts';

export interface AlertsOrder {
  readonly url: string;
  readonly leaseMs: number;
  /**
   * Before the commit that makes the firings, right after it, once a receiver is claimed, once the nth delivery was answered and before that is
   * recorded, or after it; null: it lives.
   */
  readonly death: { readonly at: 'before firing' | 'after firing' | 'claimed' | 'answered' | 'recorded'; readonly nth: number } | null;
}

const { url, leaseMs, death } = JSON.parse(process.argv[2] ?? '{}') as AlertsOrder;
const store = await openStore({ url });
const counts = new Map<string, number>();

function step(at: NonNullable<AlertsOrder['death']>['at']): void {
  counts.set(at, (counts.get(at) ?? 0) + 1);
  if (death?.at === at && counts.get(at) === death.nth) process.kill(process.pid, 'SIGKILL');
}

const { outbox } = store.alerts;
const mortal: AlertStore = {
  ...store.alerts,
  async decide(found, makeId) {
    if (found.occurrences.length > 0) step('before firing');
    const report = await store.alerts.decide(found, makeId);
    if ((report?.firings.length ?? 0) > 0) step('after firing');
    return report;
  },
  outbox: {
    ...outbox,
    async claim(...given) {
      const claims = await outbox.claim(...given);
      if (claims.length > 0) step('claimed');
      return claims;
    },
    async settle(...given) {
      step('answered');
      const done = await outbox.settle(...given);
      step('recorded');
      return done;
    },
  },
};
const dying: Store = { ...store, alerts: mortal };
const parts = alertParts(dying);
for (;;) {
  await evaluateAll(parts);
  await deliverOnce(dying, {}, leaseMs);
  if ((await outbox.state()).pending === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await store.close();
