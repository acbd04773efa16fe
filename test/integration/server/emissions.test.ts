/** What runs give out, over HTTP: pages, live events, readers that are cut off, that are slow, that may not, on both databases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TaskContext } from 'batuta';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Client } from '../../../src/client/client.ts';
import { type Api, openApi } from '../../support/api.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { createDatabase } from '../../support/postgres.ts';

const large = 'x'.repeat(2 * 1024 * 1024);

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
  let api: Api;
  let http: Client;
  let url: string;
  let drop = async (): Promise<unknown> => undefined;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'batuta-emissions-'));
    const database = on === 'postgres' ? await createDatabase() : null;
    drop = async () => {
      rmSync(folder, { recursive: true, force: true });
      await database?.drop();
    };
    api = await openApi(database === null ? {} : { databaseUrl: database.url, env: { BATUTA_RESULTS: 'store' } });
    url = await api.listen();
    http = openHttpClient({ apiUrl: url });
  }, 60_000);
  afterAll(async () => {
    await http.close();
    await api.close();
    await drop();
  });

  async function submit(does: (ctx: TaskContext) => unknown): Promise<string> {
    return (await api.client.submit(makeFlow({ work: { does } }))).id;
  }
  async function all(id: string, stream: string): Promise<unknown[]> {
    const values: unknown[] = [];
    for await (const { value } of http.runs.emitted(id, stream)) values.push(value);
    return values;
  }

  test('several readers, early and late, get all values as what they were, each once, and end with the run', async () => {
    const [half, whole] = [gate(), gate()];
    const id = await submit(async (ctx) => {
      await ctx.emit('n', new Date(5));
      await ctx.emit('n', large);
      await half.opened;
      await ctx.emit('n', undefined);
      await whole.opened;
      for (let n = 0; n < 500; n++) await ctx.emit('n', n);
    });
    const early: unknown[] = [];
    const reading = (async () => {
      for await (const { value } of http.runs.emitted(id, 'n')) {
        early.push(value);
        if (early.length === 2) half.open();
        if (early.length === 3) whole.open();
      }
    })();
    await whole.opened;
    const wanted = [new Date(5), large, undefined, ...Array.from({ length: 500 }, (_, n) => n)];
    expect(await all(id, 'n')).toEqual(wanted);
    await reading;
    expect(early).toEqual(wanted);
    expect(await http.runs.streams(id)).toEqual(await api.client.runs.streams(id));
    const { status, headers, text } = await api.get(`/api/runs/${id}/streams/n/2`);
    expect([status, headers['content-disposition'], JSON.parse(text)]).toEqual([
      200,
      `attachment; filename="${id}-2.json"`,
      { json: large },
    ]);
    expect((await api.get(`/api/runs/${id}/streams/n?limit=2`)).json).toMatchObject({
      items: [{ seq: 1 }, { seq: 2, value: { cut: {} } }],
      next: 2,
    });
    expect((await api.get(`/api/runs/${id}/streams/m`)).json).toEqual({ items: [], next: null });
  });

  test('a page holds no more than it says, also of values that are kept elsewhere, and the next goes on behind it', async () => {
    const id = await submit(async (ctx) => {
      for (let n = 0; n < 4; n++) await ctx.emit('n', `${n}${'z'.repeat(400 * 1024)}`);
      for (let n = 4; n < 8; n++) await ctx.emit('n', `${n}`);
    });
    await api.client.runs.awaitEnd(id);
    const seen: string[] = [];
    for (let after = 0; after !== (null as unknown); ) {
      const { text, json } = await api.get(`/api/runs/${id}/streams/n?after=${after}`);
      expect(text.length).toBeLessThan(600 * 1024);
      const { items, next } = json as { items: readonly { value: { json: string } }[]; next: number };
      seen.push(items.map(({ value }) => value.json[0]).join(''));
      after = next;
    }
    expect(seen).toEqual(['0', '1', '2', '34567']);
  });

  test('a reader whose connection is cut goes on after its last value', async () => {
    const end = gate();
    const id = await submit(async (ctx) => {
      for (let n = 0; n < 50; n++) await ctx.emit('n', n);
      await end.opened;
      for (let n = 50; n < 100; n++) await ctx.emit('n', n);
    });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { value } of http.runs.emitted(id, 'n')) seen.push(value);
    })();
    await vi.waitFor(() => expect(seen).toHaveLength(50), { timeout: 20_000 });
    api.app.server.closeAllConnections();
    end.open();
    await reading;
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('events carry the number of each value, and the reader that names one goes on after it', async () => {
    const id = await submit(async (ctx) => {
      for (const value of ['a', 'b', 'c']) await ctx.emit('n', value);
    });
    await api.client.runs.awaitEnd(id);
    const answer = await fetch(`${url}/api/runs/${id}/streams/n/events`, { headers: { 'last-event-id': '1' } });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const text = await answer.text();
    expect(text.match(/^(event|id): .*$/gm)).toEqual(['event: hello', 'event: value', 'id: 2', 'event: value', 'id: 3', 'event: end']);
  });

  test('a reader that takes nothing holds nobody up, and more streams than its share are refused', async () => {
    const narrow = await openApi({ bounds: { streams: { streamsPerKey: 1 } } });
    try {
      const at = new URL(await narrow.listen());
      const { id } = await narrow.client.submit(
        makeFlow({
          work: {
            does: async (ctx: TaskContext) => {
              for (let n = 0; n < 40; n++) await ctx.emit('n', 'y'.repeat(200_000));
            },
          },
        }),
      );
      const deaf = connect(Number(at.port), at.hostname, () =>
        deaf.write(`GET /api/runs/${id}/streams/n/events HTTP/1.1\r\nhost: ${at.host}\r\n\r\n`),
      );
      deaf.pause();
      await narrow.client.runs.awaitEnd(id);
      let refused: Response | null = null;
      await vi.waitFor(
        async () => {
          refused = await fetch(`${at.href}api/runs/${id}/streams/n/events`);
          if (refused.status === 200) await refused.body?.cancel();
          expect(refused.status).toBe(429);
        },
        { timeout: 20_000 },
      );
      deaf.destroy();
      const seqs: number[] = [];
      const other = openHttpClient({ apiUrl: at.href });
      for await (const { seq } of other.runs.emitted(id, 'n')) seqs.push(seq);
      expect(seqs).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
      await other.close();
    } finally {
      await narrow.close();
    }
  }, 60_000);

  test('whom the values are kept from gets none, and a name that is none is refused', async () => {
    const id = await submit((ctx) => ctx.emit('n', 'secret'));
    await api.client.runs.awaitEnd(id);
    expect((await api.get(`/api/runs/${id}/streams/a%20b`)).json).toMatchObject({ error: { code: 'NAME_INVALID' } });
    expect((await api.get('/api/runs/00000000-0000-7000-8000-000000000000/streams')).status).toBe(404);
    const observer = await api.key('observer');
    for (const path of ['', '/n', '/n/1', '/n/events']) {
      const answer = await api.get(`/api/runs/${id}/streams${path}`, { key: observer });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.text).not.toContain('"json"');
    }
  });
});
