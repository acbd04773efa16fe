/** State of an alert or a delivery: a shape and a word. */
import type { AlertState, DeliveryState } from '../../../../src/model/alerts/alert.ts';
import { StateShape } from '../../parts/state-badge.tsx';

const shapes = {
  firing: 'Failed',
  muted: 'Suspended',
  resolved: 'Completed',
  pending: 'AwaitingRetry',
  sent: 'Completed',
  failed: 'Failed',
} as const;

export function AlertBadge({ state }: { readonly state: AlertState | DeliveryState }) {
  return <StateShape name={shapes[state]}>{state}</StateShape>;
}
