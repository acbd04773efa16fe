/** A server with ended runs to be exported, from its store and over HTTP, for the tests of a `describe`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { TaskContext } from 'batuta';
import { csv, parquetGroups } from 'batuta/streams';
import type { Client } from '../../../src/client/client.ts';
import type { ExportFormat, ExportKind, ExportOptions } from '../../../src/client/export/export-client.ts';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Run } from '../../../src/model/run.ts';
import type { ExportStore } from '../../../src/store/lists/contract.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { createDatabase } from '../../support/postgres.ts';

export const fine = makeFlow(
  {
    items: { does: () => [1, 2, 3] },
    work: {
      each: 'items',
      does: (n: number, ctx: TaskContext) => {
        ctx.log.warn({ n, at: { deep: true } }, `=cmd|'"calc",${n}\nnext line é😀`);
        ctx.log.info('beside it');
        ctx.metrics.set('n', n);
      },
    },
  },
  { name: 'fine', tags: ['nightly', 'a,b'] },
);
const bad = makeFlow(
  {
    work: {
      does: () => {
        throw new TypeError('it broke, "badly"');
      },
    },
  },
  { name: 'bad' },
);

export interface ExportPlace {
  readonly api: Api;
  readonly http: Client;
  readonly url: string;
  /** Five runs, newest first: the third failed. */
  readonly ended: readonly Run[];
  /** All that is exported, here unless another client is given. */
  bytesOf(kind: ExportKind, options: ExportOptions, client?: Client): Promise<Buffer>;
  /** The same as rows. */
  rowsOf(kind: ExportKind, filter?: ExportOptions['filter']): Promise<Record<string, unknown>[]>;
  /** Rows of bytes of a format. */
  readAs(format: ExportFormat, bytes: Buffer, kind: string): Promise<Record<string, unknown>[]>;
  /** The exports with another way to read runs, while the work is done. */
  withRuns<T>(
    read: (runs: ExportStore['runs'], filter: Parameters<ExportStore['runs']>[0]) => ReturnType<ExportStore['runs']>,
    work: () => Promise<T>,
  ): Promise<T>;
}

/** Gives the `describe` that calls it a place of its own; its members hold from its `beforeAll` on. */
export function useExports(on: string): ExportPlace {
  let api: Api;
  let http: Client;
  let url = '';
  let folder = '';
  let ended: readonly Run[] = [];
  let drop = async (): Promise<unknown> => undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-exports-'));
    const database = on === 'postgres' ? await createDatabase() : null;
    drop = async () => {
      rmSync(folder, { recursive: true, force: true });
      await database?.drop();
    };
    api = await openApi(database === null ? {} : { databaseUrl: database.url, env: { BATUTA_RESULTS: 'store' } });
    url = await api.listen();
    http = openHttpClient({ apiUrl: url });
    for (let at = 0; at < 5; at++) {
      await (await api.client.submit(at === 2 ? bad : fine)).done();
      // No two are created at the same instant.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    ended = (await api.client.runs.list()).items;
  }, 60_000);
  afterAll(async () => {
    await http.close();
    await api.close();
    await drop();
  });

  async function bytesOf(kind: ExportKind, options: ExportOptions, client: Client = api.client): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of client.exports.bytes(kind, options)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
  async function rowsOf(kind: ExportKind, filter: ExportOptions['filter'] = {}): Promise<Record<string, unknown>[]> {
    return JSON.parse((await bytesOf(kind, { format: 'json', filter })).toString()) as Record<string, unknown>[];
  }

  async function readAs(format: ExportFormat, bytes: Buffer, kind: string): Promise<Record<string, unknown>[]> {
    if (format === 'json') return JSON.parse(bytes.toString()) as Record<string, unknown>[];
    if (format === 'ndjson')
      return bytes
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const all: Record<string, unknown>[] = [];
    if (format === 'csv') {
      for await (const row of csv([bytes])) all.push(row);
      return all;
    }
    const path = join(folder, `${kind}.parquet`);
    writeFileSync(path, bytes);
    for await (const { rows } of parquetGroups(path)) all.push(...rows);
    return all;
  }

  async function withRuns<T>(
    read: (runs: ExportStore['runs'], filter: Parameters<ExportStore['runs']>[0]) => ReturnType<ExportStore['runs']>,
    work: () => Promise<T>,
  ): Promise<T> {
    const { store } = api.client.engine.services;
    const real = store.exports;
    const runs: ExportStore['runs'] = (filter) => read(real.runs.bind(real), filter);
    Object.defineProperty(store, 'exports', { value: { ...real, runs }, configurable: true });
    try {
      return await work();
    } finally {
      Object.defineProperty(store, 'exports', { value: real, configurable: true });
    }
  }

  return {
    get api() {
      return api;
    },
    get http() {
      return http;
    },
    get url() {
      return url;
    },
    get ended() {
      return ended;
    },
    ...{ bytesOf, rowsOf, readAs, withRuns },
  };
}
