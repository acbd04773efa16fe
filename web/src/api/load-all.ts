/** Lists needed as a whole. */
import { fromWire, type Wire } from '../../../src/client/wire.ts';
import { get } from './http.ts';

/** Most items loaded. */
const maxLoaded = 20_000;

/** The items of a list, page by page, up to what a page can show. */
export async function loadAll<T>(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await get<{ items: Wire<readonly T[]>; next: string | null }>(path, { ...query, cursor }, signal);
    for (const item of fromWire<readonly T[]>(page.items)) all.push(item);
    if (page.next === null || all.length >= maxLoaded) return all;
    cursor = page.next;
  }
}
