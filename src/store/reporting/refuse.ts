/** Refuses changes to runs that are executed elsewhere. */
import { BatutaError } from '../../base/errors.ts';
import { isReported } from '../../model/report.ts';
import { readOwner } from '../read-json.ts';

/** @param owner JSON of the owner of the run @param what what was requested, e.g. `cancelled` @throws BatutaError RUN_REPORTED */
export function refuseReported(runId: string, owner: string | null, what: string): void {
  const read = readOwner(owner);
  if (read === null || !isReported(read)) return;
  const { reporter, host, pid } = read;
  const where = `${reporter?.name ?? 'a program'} ${reporter?.version ?? ''} on ${host} (process ${pid})`;
  throw new BatutaError(
    'RUN_REPORTED',
    `The run ${runId} is executed elsewhere, by ${where}, and only reported here; it can be ${what} only there.`,
    { details: { id: runId, host, pid, reporter: reporter?.id ?? null } },
  );
}
