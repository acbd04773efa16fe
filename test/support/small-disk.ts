/** A store of SQLite on a disk that is soon full. */
import Database from 'libsql';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

/** Makes the tables, and opens the file so that it takes `pages` more of 4 KiB. */
export async function openOnSmallDisk(path: string, pages: number, onError?: (error: unknown) => void): Promise<Store> {
  const url = `sqlite:${path}`;
  await (await openStore({ url })).close();
  const db = new Database(path);
  const [{ page_count: taken }] = db.prepare('pragma page_count').all() as [{ page_count: number }];
  db.close();
  return await openStore({ url, maxPages: taken + pages, ...(onError && { onError }) });
}
