/** The migrations. Loaded by `migrate.ts`, which knows the number of the last one. */
import { runs } from './0001-runs.ts';
import { tickets } from './0002-tickets.ts';
import { fleet } from './0003-fleet.ts';
import { signals } from './0004-signals.ts';
import { spread } from './0005-spread.ts';
import { deployments } from './0006-deployments.ts';
import { limits } from './0007-limits.ts';
import { lists } from './0008-lists.ts';
import { access } from './0009-access.ts';
import { events } from './0010-events.ts';
import { owedHooks } from './0011-owed-hooks.ts';
import { idEnds } from './0012-id-ends.ts';
import { faults } from './0013-faults.ts';
import { failures } from './0014-failures.ts';
import { failedAttempts } from './0015-failed-attempts.ts';
import { suspects } from './0016-suspects.ts';
import { given } from './0017-given.ts';
import { runTimes } from './0018-run-times.ts';
import { dueRuns } from './0019-due-runs.ts';
import { onTrial } from './0020-on-trial.ts';
import { endedIdEnds } from './0021-ended-id-ends.ts';
import { cache } from './0023-cache.ts';
import { rollbacks } from './0024-rollbacks.ts';
import { secrets } from './0025-secrets.ts';
import { results } from './0027-results.ts';
import { resourceUses } from './0028-resource-uses.ts';
import { streamPositions } from './0031-stream-positions.ts';
import { reports } from './0033-reports.ts';
import { artifactVersions } from './0035-artifact-versions.ts';
import { taskUsage } from './0037-task-usage.ts';
import { inbox } from './0039-inbox.ts';
import { triggers } from './0041-triggers.ts';
import { webhooks } from './0042-webhooks.ts';
import { runExpiries } from './0044-run-expiries.ts';
import { debounces } from './0045-debounces.ts';
import { reportTokens } from './0046-report-tokens.ts';
import { rates } from './0047-rates.ts';
import { alerts } from './0049-alerts.ts';
import { errorMarks } from './0050-error-marks.ts';
import { emissions } from './0053-emissions.ts';
import { ratePlaces } from './0054-rate-places.ts';
import { slots } from './0056-slots.ts';
import { fairness } from './0057-fairness.ts';
import { runPins } from './0059-run-pins.ts';
import { alertAttempts } from './0062-alert-attempts.ts';
import { parked } from './0063-parked.ts';
import { openSubFlows } from './0064-open-sub-flows.ts';
import type { Migration } from './migration.ts';

/** All of them, in order. */
export const migrations: readonly Migration[] = [
  runs,
  tickets,
  fleet,
  signals,
  spread,
  deployments,
  limits,
  lists,
  access,
  events,
  owedHooks,
  idEnds,
  faults,
  failures,
  failedAttempts,
  suspects,
  given,
  runTimes,
  dueRuns,
  onTrial,
  endedIdEnds,
  cache,
  rollbacks,
  secrets,
  results,
  resourceUses,
  streamPositions,
  reports,
  artifactVersions,
  taskUsage,
  inbox,
  triggers,
  webhooks,
  runExpiries,
  debounces,
  reportTokens,
  rates,
  alerts,
  errorMarks,
  emissions,
  ratePlaces,
  slots,
  fairness,
  runPins,
  alertAttempts,
  parked,
  openSubFlows,
];
