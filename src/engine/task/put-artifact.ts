/** Records what tasks want people to see. */
import { withoutHidden, withoutHiddenInJson } from '../../base/hidden-values.ts';
import { artifactText } from '../../model/task-context.ts';
import type { Artifact } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** Records an artifact of a task run, or of the run itself. Resolves once durable. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function putArtifact(
  active: RunAttempt,
  taskRunId: string | null,
  kind: Artifact['kind'],
  name: string,
  data: unknown,
): Promise<void> {
  const { services, record } = active;
  const runId = active.run.id;
  const kept = services.output.dataOf({ runId, kind }, withoutHiddenInJson(artifactText(name, data)));
  if (kept === undefined) return;
  await record.addArtifact({
    id: services.makeId(),
    runId,
    taskRunId,
    kind,
    name: withoutHidden(name),
    data: kept,
    createdAt: services.clock.now(),
  });
}
