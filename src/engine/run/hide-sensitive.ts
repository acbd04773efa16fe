/** Sensitive parameters of a run are hidden in everything its process prints and records while it goes on. */
import { hideWhile } from '../../base/hidden-values.ts';
import { sensitiveValuesIn } from '../../model/sensitive.ts';

/** Hides them until the function given back is called; null where there are none. @param params as they are recorded */
export function hideSensitive(params: string): (() => void) | null {
  const values = sensitiveValuesIn(params);
  return values.length === 0 ? null : hideWhile(values);
}
