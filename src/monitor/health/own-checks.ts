/** A project's own checks, from `health` in its `batuta.config.ts`. */
import type { OwnHealthAnswer, OwnHealthCheck } from '../../base/config-file.ts';
import type { HealthCheck, HealthFinding, HealthStatus } from './health.ts';

const statuses: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** As checks, by name. An error, false, or an invalid answer is unhealthy. */
export function ownChecks(given: Readonly<Record<string, OwnHealthCheck>>): readonly HealthCheck[] {
  return Object.entries(given).map(([name, check]) => ({
    name,
    check: async (signal) => findingOf((await check({ signal })) ?? undefined),
  }));
}

function findingOf(answer: OwnHealthAnswer): HealthFinding {
  if (answer === undefined || answer === true) return { status: 'healthy', found: 'well', mend: null };
  if (answer === false) return { status: 'unhealthy', found: 'it says no', mend: null };
  const { status, found, mend = null } = answer;
  if (!statuses.includes(status))
    return { status: 'unhealthy', found: `it answered the status ${JSON.stringify(status)}, which is none`, mend: null };
  return { status, found: String(found ?? status), mend };
}
