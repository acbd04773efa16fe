/** Hides sensitive parameters of a run in everything its process prints and records while the run continues. */
import { hideWhile } from '../../base/hidden-values.ts';
import { sensitiveValuesIn } from '../../model/sensitive.ts';

/** Hides them until the returned function is called; null if there are none. @param params as they are recorded */
export function hideSensitive(params: string): (() => void) | null {
  const values = sensitiveValuesIn(params);
  return values.length === 0 ? null : hideWhile(values);
}
