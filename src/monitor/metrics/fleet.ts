/** Sets gauges from the fleet's figures in the database. */
import type { FleetFigures } from '../fleet-figures.ts';
import type { MetricName } from './catalog.ts';
import type { MetricRegistry } from './registry.ts';

const perName: readonly MetricName[] = [
  'batuta_runs_open',
  'batuta_queue_depth',
  'batuta_queue_delayed',
  'batuta_queue_running',
  'batuta_queue_oldest_age_seconds',
  'batuta_queue_workers',
  'batuta_workers',
  'batuta_limit_slots',
  'batuta_limit_slots_used',
  'batuta_limit_waiting',
  'batuta_rate_starts',
  'batuta_rate_starts_used',
  'batuta_rate_waiting',
  'batuta_alerts_firing',
];

/** @param now UTC epoch ms */
export function setFleetGauges(registry: MetricRegistry, figures: FleetFigures, now: number): void {
  registry.clear(...perName);
  for (const { name, count } of figures.open) registry.set('batuta_runs_open', count, name);
  for (const { name, waiting, delayed, running, oldestAt, workers } of figures.queues) {
    registry.set('batuta_queue_depth', waiting, name);
    registry.set('batuta_queue_delayed', delayed, name);
    registry.set('batuta_queue_running', running, name);
    registry.set('batuta_queue_oldest_age_seconds', oldestAt === null ? 0 : Math.max(0, now - oldestAt) / 1_000, name);
    registry.set('batuta_queue_workers', workers, name);
  }
  const alive = figures.workers.filter(({ isAlive }) => isAlive).length;
  registry.set('batuta_workers', alive, 'alive');
  registry.set('batuta_workers', figures.workers.length - alive, 'silent');
  for (const { name, slots, held, waiting } of figures.limits) {
    if (slots !== null) registry.set('batuta_limit_slots', slots, name);
    registry.set('batuta_limit_slots_used', held, name);
    registry.set('batuta_limit_waiting', waiting, name);
  }
  for (const { name, limit, used, waiting } of figures.rates) {
    registry.set('batuta_rate_starts', limit, name);
    registry.set('batuta_rate_starts_used', used, name);
    registry.set('batuta_rate_waiting', waiting, name);
  }
  registry.set('batuta_cache_entries', figures.cache.entries);
  registry.set('batuta_cache_size_bytes', figures.cache.bytes);
  for (const { rule, count } of figures.alerts.open) registry.set('batuta_alerts_firing', count, rule);
  registry.set('batuta_alert_deliveries_pending', figures.alerts.pending);
  const { oldestAt } = figures.alerts;
  registry.set('batuta_alert_deliveries_oldest_age_seconds', oldestAt === null ? 0 : Math.max(0, now - oldestAt) / 1_000);
  registry.set('batuta_fleet_figures_age_seconds', Math.max(0, now - figures.at) / 1_000);
}
