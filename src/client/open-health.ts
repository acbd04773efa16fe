/** Assembles the checks of a process: those of the fleet, of its machine, and of its project. */
import { configHealth } from '../base/config.ts';
import type { Config } from '../base/settings.ts';
import { FleetReader } from '../monitor/fleet-figures.ts';
import { diskCheck } from '../monitor/health/disk-check.ts';
import {
  alertsCheck,
  brokerCheck,
  clockCheck,
  databaseCheck,
  queuesCheck,
  schedulesCheck,
  versionsCheck,
} from '../monitor/health/fleet-checks.ts';
import { Health, type HealthCheck, ownChecks } from '../monitor/health/health.ts';
import type { LocalClient } from './local-client.ts';

/** Lazy: queries only when read. */
export function openHealth(client: LocalClient, config: Config): Health {
  const { leaseClock } = client.engine.services;
  return new Health([databaseCheck(client.engine.services.store, leaseClock), ...checksBeside(client, config)], leaseClock);
}

/** Checks that `batuta doctor` does not already make. */
export function furtherChecks(client: LocalClient, config: Config): Health {
  const made = new Set(['redis', 'broker', client.engine.services.store.dialect === 'sqlite' ? 'clock' : '']);
  const further = checksBeside(client, config).filter(({ name }) => !made.has(name));
  return new Health(further, client.engine.services.leaseClock);
}

function checksBeside(client: LocalClient, config: Config): readonly HealthCheck[] {
  const { store, leaseClock: clock, settings } = client.engine.services;
  const fleet = new FleetReader({ store, clock, leaseMs: settings.leaseMs });
  return [
    brokerCheck(config),
    schedulesCheck(store),
    queuesCheck(fleet),
    versionsCheck(store, fleet),
    alertsCheck(store),
    diskCheck(config),
    clockCheck(store, clock),
    ...ownChecks(configHealth(config)),
  ].filter((check) => check !== null);
}
