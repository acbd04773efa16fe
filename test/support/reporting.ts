/** Programs that report, in this process: each with an embedded store of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export interface Program {
  readonly client: LocalClient;
  readonly store: Store;
  /** What it logged, line by line. */
  readonly logged: string[];
  /** Waits for what is left for as long as its settings say. */
  close(): Promise<void>;
}

export interface ProgramPlace {
  readonly folder: string;
  readonly databaseUrl: string;
  open(env?: Readonly<Record<string, string>>): Promise<Program>;
  /** The store alone, as another process would see it. */
  look(): Promise<Store>;
  remove(): Promise<void>;
}

/** A folder with an embedded store whose programs report to `url`. */
export function makeProgramPlace(url: () => string, key = ''): ProgramPlace {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-program-'));
  const databaseUrl = `sqlite:${join(folder, 'batuta.db')}`;
  const open: { close(): Promise<void> }[] = [];
  return {
    folder,
    databaseUrl,
    async open(env = {}) {
      const settings = {
        BATUTA_DATABASE_URL: databaseUrl,
        BATUTA_REPORT_URL: url(),
        BATUTA_REPORT_NAME: 'edge',
        BATUTA_REPORT_VERSION: '1.0.0',
        ...(key === '' ? {} : { BATUTA_REPORT_KEY: key }),
      };
      const { config } = await loadConfig({ env: { ...settings, ...env } });
      const logged: string[] = [];
      const log = await openLog({ level: 'info', format: 'json', write: (text) => void logged.push(text) });
      const client = await openLocalClient({ config, log });
      open.push(client);
      return { client, store: client.engine.services.store, logged, close: () => client.close() };
    },
    async look() {
      const store = await openStore({ url: databaseUrl });
      open.push(store);
      return store;
    },
    async remove() {
      for (const one of open.toReversed()) await one.close();
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
