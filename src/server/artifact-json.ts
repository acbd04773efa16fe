/** Artifacts as they travel: without where their bytes lie. */
import { toWire, type Wire } from '../client/wire.ts';
import type { Artifact } from '../model/run.ts';

export function artifactJson<A extends Omit<Artifact, 'data'>>({ ref: _ref, ...artifact }: A): Wire<Omit<A, 'ref'>> {
  return toWire(artifact);
}
