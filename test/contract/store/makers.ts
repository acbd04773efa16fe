/** The makers of the store that one suite runs over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/store/open.ts';
import type { OpenStoreOptions } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { createDatabase } from '../../support/postgres.ts';

/** A database of its own, and stores over it. */
export interface Place {
  readonly url: string;
  /** A store over the database, closed with the place. Several stand for several processes. */
  open(options?: Omit<OpenStoreOptions, 'url'>): Promise<Store>;
  remove(): Promise<void>;
}

export interface Maker {
  readonly name: 'sqlite' | 'postgres';
  makePlace(): Promise<Place>;
}

export const makers: readonly Maker[] = [
  {
    name: 'sqlite',
    async makePlace() {
      const folder = mkdtempSync(join(tmpdir(), 'batuta-store-'));
      return place(`sqlite:${join(folder, 'batuta.db')}`, async () => rmSync(folder, { recursive: true, force: true }));
    },
  },
  {
    name: 'postgres',
    async makePlace() {
      const database = await createDatabase();
      return place(database.url, () => database.drop());
    },
  },
];

/** Stores over a URL, closed together. */
export function place(url: string, drop: () => Promise<void>): Place {
  const stores: Store[] = [];
  return {
    url,
    async open(options = {}) {
      const store = await openStore({ url, ...options });
      stores.push(store);
      return store;
    },
    async remove() {
      for (const store of stores) await store.close();
      await drop();
    },
  };
}
