/** What `batuta doctor` reports about the fleet: the checks of `/health` that it does not make itself. */
import { openLog } from '../../base/log.ts';
import type { Config } from '../../base/settings.ts';
import type { HealthStatus } from '../../monitor/health/health.ts';

const verdicts = { healthy: 'good', degraded: 'odd', unhealthy: 'bad' } as const satisfies Readonly<Record<HealthStatus, string>>;

/** A check as `doctor` prints it. */
interface FleetCheck {
  readonly name: string;
  readonly verdict: (typeof verdicts)[HealthStatus];
  readonly found: string;
  readonly mend: string | null;
}

/** One check per line, including those of the project. @throws BatutaError STORE_… */
export async function checkHealth(config: Config): Promise<FleetCheck[]> {
  const { openLocalClient } = await import('../../client/open-local-client.ts');
  const { furtherChecks } = await import('../../client/open-health.ts');
  const log = await openLog({ level: 'silent', format: 'json', write: () => undefined });
  const client = await openLocalClient({ config, log, captureConsole: false, reports: false });
  try {
    const { checks } = await furtherChecks(client, config).read();
    return checks.map(({ name, status, found, mend }) => ({ name, verdict: verdicts[status], found, mend }));
  } finally {
    await client.close();
  }
}
