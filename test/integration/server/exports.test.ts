/** Exports from the store and over HTTP, in every format, on both databases. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TaskContext } from 'batuta';
import { csv, parquetGroups } from 'batuta/streams';
import type { Client } from '../../../src/client/client.ts';
import type { ExportFormat, ExportKind, ExportOptions } from '../../../src/client/export/export-client.ts';
import { exportColumns } from '../../../src/client/export/exported-rows.ts';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Run } from '../../../src/model/run.ts';
import type { ExportStore } from '../../../src/store/lists/contract.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { createDatabase } from '../../support/postgres.ts';

const fine = makeFlow(
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

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
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

  test('runs are newest first, each once, with what the API says of them', async () => {
    const rows = await rowsOf('runs');
    expect(rows.map(({ id }) => id)).toEqual(ended.map(({ id }) => id));
    const shown = (await api.get('/api/runs')).json.items as Record<string, unknown>[];
    for (const [at, row] of rows.entries()) {
      const run = shown[at] as Record<string, never>;
      for (const name of [
        'flow',
        'name',
        'attempt',
        'queue',
        'tags',
        'createdAt',
        'startedAt',
        'endedAt',
        'durationMs',
        'waitingMs',
        'wallMs',
      ])
        expect([name, row[name]]).toEqual([name, run[name]]);
      const { type, name, message } = run['state'] as unknown as Readonly<Record<string, unknown>>;
      expect([row['stateType'], row['stateName'], row['stateMessage']]).toEqual([type, name, message]);
    }
    expect(rows[2]).toMatchObject({ flow: 'bad', errorName: 'TypeError', errorMessage: 'it broke, "badly"' });
    expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(exportColumns.runs));
  });

  test('task runs, transitions and lines are those of the runs that fit, and all of them', async () => {
    const tasks = await rowsOf('task-runs', { flow: 'fine' });
    expect(tasks).toHaveLength(4 * 4);
    expect(tasks.slice(0, 4).map(({ runId, task, index }) => [runId, task, index])).toEqual([
      [ended[0]?.id, 'items', null],
      ...[0, 1, 2].map((index) => [ended[0]?.id, 'work', index]),
    ]);
    expect(tasks[1]).toMatchObject({ flow: 'fine', stateName: 'Completed', metrics: { n: 1 } });
    const moves = await rowsOf('transitions', { states: ['failed'] });
    const [failed] = ended.filter(({ flow }) => flow === 'bad');
    expect(moves.map(({ seq, runId, stateName }) => [seq, runId, stateName])).toEqual(
      (await api.client.runs.inspect(failed?.id ?? '')).transitions.map(({ name }, at) => [expect.any(Number), moves[at]?.['runId'], name]),
    );
    const lines = await rowsOf('logs', { flow: 'fine', minLevel: 40 });
    expect(lines).toHaveLength(4 * 3);
    expect(lines[0]).toMatchObject({ level: 40, flow: 'fine', fields: { n: expect.any(Number), at: { deep: true } } });
    expect(await rowsOf('logs', { flow: 'fine' })).toHaveLength(4 * 6);
    expect(await rowsOf('task-runs', { flow: 'nobody' })).toEqual([]);
  });

  test('a run with more task runs and lines than one read holds comes whole and in order', async () => {
    const many = makeFlow(
      {
        items: { does: () => Array.from({ length: 2_300 }, (_, n) => n) },
        work: { each: 'items', does: (n: number, ctx: TaskContext) => ctx.log.info(`${n} ${'x'.repeat(n % 100 === 0 ? 60_000 : 10)}`) },
      },
      { name: 'many' },
    );
    await (await api.client.submit(many)).result();
    const tasks = await rowsOf('task-runs', { flow: 'many' });
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(2_301);
    const lines = await rowsOf('logs', { flow: 'many' });
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map(({ seq }) => Number(seq)).toSorted((a, b) => a - b));
    expect(new Set(lines.map(({ message }) => String(message).split(' ')[0])).size).toBe(2_300);
  }, 60_000);

  test('statistics sum up to the runs, by flow', async () => {
    const rows = await rowsOf('statistics', { by: 'hour' });
    const sum = (flow: string, type: string): number =>
      rows
        .filter((row) => row['kind'] === 'flow' && row['name'] === flow && row['stateType'] === type)
        .reduce((all, { runs }) => all + Number(runs), 0);
    expect([sum('fine', 'COMPLETED'), sum('bad', 'FAILED'), sum('fine', 'FAILED')]).toEqual([4, 1, 0]);
    expect(await rowsOf('statistics', { flow: 'bad' })).toMatchObject([
      { kind: 'flow', name: 'bad', runs: 1, timed: 1, p50Ms: expect.any(Number) },
    ]);
  });

  test.each(['runs', 'task-runs', 'transitions', 'logs', 'statistics'] as const)(
    '%s say the same in every format, and over HTTP',
    async (kind) => {
      const filter = { flow: 'fine' };
      const rows = await rowsOf(kind, filter);
      expect(rows.length).toBeGreaterThan(0);
      for (const format of ['csv', 'json', 'ndjson', 'parquet'] as const) {
        const far = await bytesOf(kind, { format, filter }, http);
        expect([format, await readAs(format, far, kind)]).toEqual([
          format,
          await readAs(format, await bytesOf(kind, { format, filter }), kind),
        ]);
        expect([format, (await readAs(format, far, kind)).length]).toEqual([format, rows.length]);
      }
      const parsed = (await bytesOf(kind, { format: 'ndjson', filter }))
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect(parsed).toEqual(rows);
      const ofParquet = await readAs('parquet', await bytesOf(kind, { format: 'parquet', filter }), kind);
      expect(ofParquet.map((row) => JSON.parse(JSON.stringify(row, plain)))).toEqual(rows);
    },
  );

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

  test('texts that a spreadsheet would take for formulas are none in CSV', async () => {
    const text = (await bytesOf('logs', { format: 'csv', filter: { flow: 'fine', minLevel: 40 } })).toString();
    expect(text).toContain(`"'=cmd|'""calc"",`);
    expect(text).not.toMatch(/(^|,)"?=cmd/m);
  });

  test('nothing gives an empty file of each format, and a filter that is none is refused before anything is sent', async () => {
    const filter = { flow: 'nobody' };
    expect((await bytesOf('runs', { format: 'json', filter })).toString()).toBe('[]\n');
    expect((await bytesOf('runs', { format: 'ndjson', filter })).toString()).toBe('');
    expect((await bytesOf('runs', { format: 'csv', filter })).toString()).toBe(`${Object.keys(exportColumns.runs).join(',')}\n`);
    expect(await readAs('parquet', await bytesOf('runs', { format: 'parquet', filter }), 'none')).toEqual([]);
    for (const query of [
      'runs?format=xls',
      'runs?format=csv&level=30',
      'statistics?format=csv&tag=a',
      'secrets?format=csv',
      'logs?format=csv&by=day',
    ])
      expect([query, (await api.get(`/api/export/${query}`)).status]).toEqual([query, 400]);
    await expect(bytesOf('runs', { format: 'csv', filter: { flw: 'x' } as never })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(bytesOf('runs', { format: 'csv', filter: { flw: 'x' } as never }, http)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  /** The exports with another way to read runs, while the work is done. */
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

  test('page by page it is the same, and what is created after it began is not in it', async () => {
    const before = (await api.client.runs.list()).items.map(({ id }) => id);
    let pages = 0;
    const rows = await withRuns(
      async (runs, filter) => {
        if (pages++ === 0) {
          const begun = Date.now();
          await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(begun));
          await (await api.client.submit(fine)).done();
        }
        return await runs({ ...filter, limit: 2 });
      },
      () => rowsOf('runs'),
    );
    expect(pages).toBeGreaterThan(2);
    expect(rows.map(({ id }) => id)).toEqual(before);
  });

  test('a reader that leaves in the middle ends it', async () => {
    const bytes = api.client.exports.bytes('task-runs', { format: 'ndjson' })[Symbol.asyncIterator]();
    await bytes.next();
    expect(await bytes.return?.()).toMatchObject({ done: true });
    expect(await bytes.next()).toMatchObject({ done: true });
  });

  test('who stops it is heard where nothing is found for long, here and over HTTP, by the signal and by hanging up', async () => {
    const stops: readonly ((stopping: AbortController) => Promise<unknown>)[] = [
      ({ signal }) => expect(bytesOf('logs', { format: 'json', signal })).rejects.toThrow('enough'),
      ({ signal }) => expect(bytesOf('logs', { format: 'json', signal }, http)).rejects.toThrow('enough'),
      ({ signal }) =>
        expect(fetch(`${url}/api/export/logs?format=ndjson`, { signal }).then((answer) => answer.text())).rejects.toThrow('enough'),
    ];
    for (const stop of stops) {
      const stopping = new AbortController();
      let pages = 0;
      // A store in which nothing fits, however far it is read.
      const endless = async () => (pages++, { items: [], next: 'further' });
      await withRuns(endless, async () => {
        const stopped = stop(stopping);
        await vi.waitFor(() => expect(pages).toBeGreaterThan(3), { timeout: 20_000 });
        stopping.abort(new Error('enough'));
        await stopped;
        await vi.waitFor(
          async () => {
            const before = pages;
            for (let turns = 20; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
            expect(pages).toBe(before);
          },
          { timeout: 20_000 },
        );
      });
    }
  });

  test('statistics begin with the oldest run that is known, however early they are asked for', async () => {
    const { figures } = api.client.engine.services.store;
    const read = vi.spyOn(figures, 'ended');
    try {
      const all = await rowsOf('statistics');
      const reads = read.mock.calls.length;
      expect(await rowsOf('statistics', { since: 0 })).toEqual(all);
      expect(read.mock.calls.length).toBe(2 * reads);
    } finally {
      read.mockRestore();
    }
  });

  test('an answer that breaks off fails', async () => {
    await withRuns(
      async (runs, filter) => {
        const found = await runs({ ...filter, limit: 1 });
        if (filter?.cursor) throw new Error('the disk is on fire');
        return found;
      },
      () => expect(bytesOf('runs', { format: 'json' }, http)).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' }),
    );
  });

  // Once there is a key, nobody is let in without one.
  test('an observer gets none', async () => {
    const observer = await api.key('observer');
    expect((await api.get('/api/export/runs?format=csv', { key: observer })).status).toBe(403);
  });
});

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
