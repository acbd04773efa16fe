/** Pages of lists, as they come from a server. */
import type { Page } from '../../store/store.ts';
import { fromWire, type Wire } from '../wire.ts';

/** A list as it travels; `next` is null, or missing where a list has no pages. */
export interface WirePage<T> {
  readonly items: readonly Wire<T>[];
  readonly next?: string | null;
}

/** Each item back in its form. */
export function pageFromWire<T>({ items, next }: WirePage<T>, itemOf: (item: Wire<T>) => T = (item) => fromWire<T>(item)): Page<T> {
  return { items: items.map(itemOf), next: next ?? null };
}
