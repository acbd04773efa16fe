/** Artifacts over HTTP: versions, bytes with headers under which a browser executes nothing, rejected records, on both databases. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TaskContext } from 'batuta';
import { at } from 'batuta/streams';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Client } from '../../../src/client/client.ts';
import type { Artifact } from '../../../src/model/run.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { createDatabase } from '../../support/postgres.ts';

const hostileSvg = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script>
<foreignObject><iframe src="javascript:alert(1)"/></foreignObject><image href="https://elsewhere.invalid/x.png"/></svg>`;
const large = randomBytes(700_000);

const shows = makeFlow({
  work: {
    does: async ({ artifact }: TaskContext) => {
      await artifact.image('logo', Buffer.from(hostileSvg), { key: 'logo' });
      await artifact.file('page', Buffer.from('<script>alert(1)</script>'), {
        type: 'text/html',
        fileName: 'a"\r\n; filename=evil.exe — 日本.html',
      });
      await artifact.file('large', large);
      await artifact.markdown('note', '# <b>x</b>', { key: 'note' });
      await artifact.chart('delays', { x: [1, 2], series: { a: [1, 2] } });
    },
  },
});
const versioned = makeFlow({
  work: {
    does: async ({ artifact }: TaskContext) => {
      for (const n of [1, 2]) await artifact.json('n', { n }, { key: 'versions' });
    },
  },
});
const rejecting = makeFlow(
  {
    rows: {
      does: async function* rows() {
        for (let n = 0; n < 2_500; n++) yield at(n, { n });
      },
    },
    sum: {
      needs: ['rows'],
      does: async (rows: AsyncIterable<{ n: number }>, ctx: TaskContext) => {
        for await (const row of rows) if (row.n % 2 === 0) ctx.reject(row, row.n % 4 === 0 ? 'four' : 'two');
      },
    },
  },
  { name: 'rejecting' },
);

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
  let api: Api;
  let http: Client;
  let shown: readonly Artifact[];
  let runId = '';
  let drop = async (): Promise<unknown> => undefined;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'batuta-artifacts-'));
    const database = on === 'postgres' ? await createDatabase() : null;
    drop = async () => {
      rmSync(folder, { recursive: true, force: true });
      await database?.drop();
    };
    api = await openApi(database === null ? {} : { databaseUrl: database.url, env: { BATUTA_RESULTS: 'store' } });
    http = openHttpClient({ apiUrl: await api.listen() });
    runId = (await api.client.submit(shows)).id;
    await api.client.runs.awaitEnd(runId);
    shown = (await http.runs.inspect(runId)).artifacts;
  }, 60_000);
  afterAll(async () => {
    await http.close();
    await api.close();
    await drop();
  });
  const idOf = (name: string): string => shown.find((artifact) => artifact.name === name)?.id ?? '';

  test('what they are travels without where their bytes lie', async () => {
    expect(shown.map(({ kind }) => kind)).toEqual(['image', 'file', 'file', 'markdown', 'chart']);
    const { text } = await api.get(`/api/artifacts?key=logo`);
    expect(text).not.toMatch(/"ref"|artifact-0/);
    expect((await http.artifacts.keys()).items).toEqual(
      (await api.client.artifacts.keys()).items.map((key) => ({ ...key, newest: { ...key.newest, ref: undefined } })),
    );
    expect(await http.artifacts.get(idOf('note').slice(-8))).toEqual(await api.client.artifacts.get(idOf('note')));
    await api.client.runs.awaitEnd((await api.client.submit(versioned)).id);
    const versions = (await http.artifacts.list({ key: 'versions' })).items.map(({ id }) => id);
    expect([await http.artifacts.get(versions[0] ?? ''), await http.artifacts.get(versions[1] ?? '')]).toMatchObject([
      { previous: versions[1] },
      { previous: null },
    ]);
    await expect(http.artifacts.get('ffffffff')).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });

  test.each([
    ['logo', 'image/svg+xml', 'attachment; filename="logo"'],
    [
      'page',
      'text/html',
      `attachment; filename="a_; filename=evil.exe ? ??.html"; filename*=UTF-8''a_%3B%20filename%3Devil.exe%20%E2%80%94%20%E6%97%A5%E6%9C%AC.html`,
    ],
    ['note', 'text/markdown; charset=utf-8', 'attachment; filename="note.md"'],
    ['delays', 'application/json; charset=utf-8', 'attachment; filename="delays.json"'],
  ])('the bytes of %s are sent so that a browser executes none of them', async (name, type, disposition) => {
    const { status, headers } = await api.get(`/api/artifacts/${idOf(name)}/content`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': type, 'content-disposition': disposition, 'x-content-type-options': 'nosniff' });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none';.*; sandbox$/);
    expect(policy).not.toMatch(/script-src|allow-/);
  });

  test('the bytes come as they were given, by both clients', async () => {
    for (const { artifacts } of [http, api.client]) {
      const { pieces, bytes } = await artifacts.content(idOf('large'));
      const all: Uint8Array[] = [];
      for await (const piece of pieces) all.push(piece);
      expect([bytes, Buffer.concat(all).equals(large)]).toEqual([large.length, true]);
    }
  });

  test('the head of what comes is the same, and no byte of a file is read for it', async () => {
    const { results } = api.client.engine.services;
    const read = vi.spyOn(results, 'streamBytes');
    const facts = ['content-type', 'content-length', 'content-disposition', 'content-security-policy'];
    for (const name of ['large', 'page', 'logo', 'note']) {
      const path = `/api/artifacts/${idOf(name)}/content`;
      read.mockClear();
      const head = await api.ask('HEAD', path);
      expect([head.status, head.text, read.mock.calls.length]).toEqual([200, '', 0]);
      const whole = await api.get(path);
      for (const fact of facts) expect([name, fact, head.headers[fact]]).toEqual([name, fact, whole.headers[fact]]);
    }
    read.mockRestore();
    expect((await api.ask('HEAD', '/api/artifacts/ffffffff/content')).status).toBe(404);
  });

  test('two versions are compared by both clients', async () => {
    const [before, after] = [idOf('note'), idOf('note')];
    for (const { artifacts } of [http, api.client])
      expect(await artifacts.compare(before, after)).toMatchObject({ isSame: true, as: 'text' });
    await expect(http.artifacts.compare(before, idOf('logo'))).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  test('rejected records are counted, read page by page, filtered, and downloaded', async () => {
    const { id } = await api.client.submit(rejecting);
    await api.client.runs.awaitEnd(id);
    expect(await http.runs.rejectCounts(id)).toEqual({
      total: 1_250,
      reasons: [
        { task: 'sum', reason: 'four', count: 625 },
        { task: 'sum', reason: 'two', count: 625 },
      ],
      others: 0,
    });
    const seen: number[] = [];
    let cursor = '';
    do {
      const { json } = await api.get(`/api/runs/${id}/rejects?limit=500&reason=four${cursor}`);
      seen.push(...json.items.map(({ record }: { record: { n: number } }) => record.n));
      cursor = json.next === null ? '' : `&cursor=${json.next}`;
    } while (cursor !== '');
    expect(seen).toEqual(Array.from({ length: 625 }, (_, n) => n * 4));
    const letters = [];
    for await (const letter of http.runs.rejects(id, { task: 'sum' })) letters.push(letter);
    expect([letters.length, letters[1]]).toEqual([1_250, { reason: 'two', stage: 'sum', position: 2, attempt: 1, record: { n: 2 } }]);
    const { headers, text } = await api.get(`/api/runs/${id}/rejects/download`);
    expect([headers['content-disposition'], text.split('\n').length]).toEqual([`attachment; filename="${id}-rejects.jsonl"`, 1_251]);
    expect((await api.get(`/api/runs/${id}/rejects?cursor=x`)).status).toBe(400);
    expect((await api.post(`/api/runs/${runId}/rejects/retry`)).json.error.code).toBe('REJECTS_MISSING');
    expect((await api.get(`/api/runs/${id}/rejects?task=rows`)).json).toEqual({ items: [], next: null });
  });
});
