/**
 * Keeps a file or an image: its bytes go to the result storage as they arrive, then its row is recorded with their location.
 *
 * If the process dies in between, or the row cannot be recorded, no row names the bytes. They are stored under the id of their run and go
 * with it, as those of large results do.
 */
import { Buffer } from 'node:buffer';
import { openSource } from '../../base/byte-source.ts';
import { BatutaError } from '../../base/errors.ts';
import { withoutHidden } from '../../base/hidden-values.ts';
import { showBytes } from '../../base/setting-values.ts';
import type { ArtifactFile } from '../../model/artifact.ts';
import { safeFileName } from '../../model/file-name.ts';
import { parseRef } from '../../model/result-ref.ts';
import type { FileWish } from '../../model/artifact-writer.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { fileType, headBytes, imageFacts } from './file-type.ts';
import type { ArtifactIdentity } from './put-artifact.ts';

interface FileParts {
  /** Null for one with an id of its own. */
  readonly identity: ArtifactIdentity | null;
  readonly isOver: () => boolean;
}

/** The attempt has ended while its bytes were read; the file is dropped. */
class AttemptOver extends Error {}

/**
 * Resolves once durable, or once dropped because the attempt has ended.
 *
 * @throws BatutaError ARTIFACT_TYPE, ARTIFACT_TOO_LARGE, ARTIFACT_INVALID, STORE_…
 */
export async function putFile(active: RunAttempt, taskRunId: string | null, wish: FileWish, parts: FileParts): Promise<void> {
  const { services, record } = active;
  const { name, kind } = wish;
  const { maxArtifactImageBytes, maxArtifactFileBytes } = services.output.settings;
  const runId = active.run.id;
  const opened = openSource(wish.source, name);
  const fileName = safeFileName(withoutHidden(wish.fileName ?? opened.fileName ?? name));
  const limit =
    kind === 'image'
      ? (['BATUTA_MAX_ARTIFACT_IMAGE', maxArtifactImageBytes] as const)
      : (['BATUTA_MAX_ARTIFACT_FILE', maxArtifactFileBytes] as const);
  const pieces = limited(opened.pieces, name, limit, parts.isOver);
  let facts: Omit<ArtifactFile, 'bytes' | 'sha256'> | null = null;
  let ref: string;
  try {
    const { head, rest } = await readHead(pieces, kind === 'image' ? Number.POSITIVE_INFINITY : headBytes);
    facts =
      kind === 'image'
        ? { fileName, ...(await imageFacts(name, head, wish.type ?? null)), alt: withoutHidden(wish.alt ?? name) }
        : { fileName, type: await fileType(name, head, { claimed: wish.type ?? null, fileName }) };
    ref = await services.results.putBytes(`${runId}/artifact-${services.makeId()}`, rest);
  } catch (error) {
    if (error instanceof AttemptOver) return;
    throw error;
  } finally {
    // Ends the source even if not all of it was read.
    await pieces.return(undefined);
  }
  const { bytes, sha256 } = parseRef(ref);
  const data: ArtifactFile = { ...facts, bytes: bytes ?? 0, sha256: sha256 ?? '' };
  const id = parts.identity === null ? services.makeId() : parts.identity.idOf(`${data.sha256} ${fileName} ${data.type}`);
  const isKnown = parts.identity !== null && (await services.store.artifacts.has(id));
  const kept = parts.isOver() || isKnown ? undefined : services.output.dataOf({ runId, kind }, JSON.stringify(data));
  if (kept === undefined) return await services.results.remove(ref).catch(() => undefined);
  const row = { id, runId, taskRunId, kind, name: withoutHidden(name), data: kept, createdAt: record.artifactTime() };
  // The bytes stay if this fails: the row may still exist.
  await record.addArtifact({ ...row, key: parts.identity?.key ?? null, ref, bytes, sha256 });
}

/** The pieces as bytes, up to the limit, and none once the attempt has ended. */
async function* limited(
  pieces: AsyncIterable<unknown>,
  name: string,
  [setting, maxBytes]: readonly [setting: string, maxBytes: number],
  isOver: () => boolean,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    if (isOver()) throw new AttemptOver();
    const part = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (!(part instanceof Uint8Array))
      throw new BatutaError('ARTIFACT_INVALID', `The stream of artifact '${name}' gives ${typeof piece}, not bytes.`, {
        details: { artifact: name },
      });
    bytes += part.byteLength;
    if (bytes > maxBytes)
      throw new BatutaError('ARTIFACT_TOO_LARGE', `The artifact '${name}' is larger than ${showBytes(maxBytes)} (${setting}).`, {
        details: { artifact: name, maxBytes },
      });
    yield part;
  }
}

/** The first bytes, and all of them again as pieces. */
async function readHead(
  pieces: AsyncGenerator<Uint8Array>,
  wanted: number,
): Promise<{ readonly head: Uint8Array; readonly rest: AsyncIterable<Uint8Array> }> {
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < wanted) {
    const { done, value } = await pieces.next();
    if (done) break;
    first.push(value);
    bytes += value.byteLength;
  }
  const head = first.length === 1 && first[0] ? first[0] : Buffer.concat(first);
  const rest = (async function* () {
    if (head.byteLength > 0) yield head;
    yield* pieces;
  })();
  return { head, rest };
}
