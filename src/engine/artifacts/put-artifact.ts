/** Records what tasks show to people. */
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { withoutHidden, withoutHiddenInJson } from '../../base/hidden-values.ts';
import { artifactText } from '../../model/task-context.ts';
import type { Artifact } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** What identifies an artifact besides its name. */
export interface ArtifactIdentity {
  readonly key: string | null;
  /** Its id, from the hash of its content. */
  readonly idOf: (sha256: string) => string;
}

/**
 * Records an artifact of a task run, or of the run itself. Resolves once durable.
 *
 * @param identity of one that has versions, or may be shown again with the same content; default: it has an id of its own
 * @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_…
 */
export async function putArtifact(
  active: RunAttempt,
  taskRunId: string | null,
  kind: Artifact['kind'],
  name: string,
  data: unknown,
  identity: ArtifactIdentity | null = null,
): Promise<void> {
  const { services, record } = active;
  const runId = active.run.id;
  const json = withoutHiddenInJson(artifactText(name, data));
  const kept = services.output.dataOf({ runId, kind }, json);
  if (kept === undefined) return;
  const sha256 = identity === null ? null : hash('sha256', json, 'hex');
  await record.addArtifact({
    id: identity === null || sha256 === null ? services.makeId() : identity.idOf(sha256),
    runId,
    taskRunId,
    kind,
    name: withoutHidden(name),
    data: kept,
    createdAt: record.artifactTime(),
    ...(identity === null ? {} : { key: identity.key, bytes: Buffer.byteLength(json), sha256 }),
  });
}
