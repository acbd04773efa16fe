/** The makers of the store that one suite runs over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/store/open.ts';
import type { OpenStoreOptions } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

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

/**
 * Places for the tests of one file, one after the other. On PostgreSQL they share a database that `empty` empties, for a new one takes longer than most
 * tests.
 */
export function placesOf(maker: Maker, empty: string): { readonly make: () => Promise<Place>; readonly drop: () => Promise<void> } {
  let database: TestDatabase | null = null;
  return {
    async make() {
      if (maker.name === 'sqlite') return await maker.makePlace();
      if (database === null) database = await createDatabase();
      else await database.query(empty);
      return place(database.url, async () => undefined);
    },
    async drop() {
      await database?.drop();
    },
  };
}

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
