/** The version of a flow that has none. */
import { createHash } from 'node:crypto';
import { type AnyClass, type FlowPlan, lineage, readLoadedVersion, readOrigin } from './metadata.ts';

/** A hash of the code of a flow without a version, 12 hex digits: of everything that came with its file, if the file was loaded. */
export function versionOf(cls: AnyClass, plan: FlowPlan | undefined): string {
  const loaded = readOrigin(cls)?.version ?? readLoadedVersion(cls) ?? null;
  if (loaded !== null && (plan?.text ?? null) === null) return loaded;
  const hash = createHash('sha256');
  if (loaded === null) for (const at of lineage(cls)) hash.update(Function.prototype.toString.call(at));
  hash.update(loaded ?? plan?.code() ?? '').update(plan?.text ?? '');
  return hash.digest('hex').slice(0, 12);
}
