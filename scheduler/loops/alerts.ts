/**
 * Alerts: finds what the rules cover, pass by pass, and sends what is in the outbox.
 *
 * Two loops, so that a slow receiver does not delay detection. Both handle what is due, and any number of schedulers may run them; while
 * there are no rules a pass is one small query each.
 */
import type { Loop } from '../../src/base/loop.ts';
import { type DeliverParts, deliverAlerts } from '../../src/alerts/deliver.ts';
import { type EvaluateParts, evaluateAlerts } from '../../src/alerts/evaluate.ts';
import { type LoopParts, upkeepLoop } from '../../src/upkeep/parts.ts';

/** @param onFired called once something is in the outbox */
export function alertsLoop(
  parts: LoopParts,
  evaluate: EvaluateParts,
  { intervalMs, onFired }: { readonly intervalMs: number; readonly onFired: () => void },
): Loop {
  return upkeepLoop(parts, {
    name: 'alerts',
    intervalMs,
    failed: 'Alerts could not be looked for; they are once the database is back.',
    async step() {
      const { firings, again } = await evaluateAlerts(evaluate);
      if (firings.length > 0) onFired();
      return again ? 'again' : undefined;
    },
  });
}

export function deliveriesLoop(parts: LoopParts, deliver: DeliverParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  return upkeepLoop(parts, {
    name: 'alert deliveries',
    intervalMs,
    failed: 'Alerts could not be sent; they are once the database is back.',
    async step(signal) {
      return (await deliverAlerts(deliver, signal)) ? 'again' : undefined;
    },
  });
}
