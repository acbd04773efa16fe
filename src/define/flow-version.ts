/** The version of a flow that names none. */
import { createHash } from 'node:crypto';
import { type AnyClass, type FlowPlan, lineage } from './metadata.ts';

/**
 * A hash of the code of a flow that names no version, 12 hex digits.
 *
 * @param loaded the hash of all code that its file brings in, where that is known
 */
export function versionOf(cls: AnyClass, loaded: string | null, plan: FlowPlan | undefined): string {
  if (loaded !== null && (plan?.text ?? null) === null) return loaded;
  const hash = createHash('sha256');
  if (loaded === null) for (const at of lineage(cls)) hash.update(Function.prototype.toString.call(at));
  hash.update(loaded ?? plan?.code() ?? '').update(plan?.text ?? '');
  return hash.digest('hex').slice(0, 12);
}
