import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Flow, Task, type TaskContext } from 'batuta';
import { objects, type ObjectsOptions, type ObjectStore } from 'batuta/resources';
import { csv, ndjson, toCsv, toNdjson } from 'batuta/streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, startS3 } from '../support/object-servers.ts';
import { ownEngine } from '../support/own-engine.ts';

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const account = 'devstoreaccount1';
/** The key that Azurite's documentation gives. */
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const makers: Readonly<Record<string, () => Promise<{ readonly options: ObjectsOptions; stop(): Promise<void> }>>> = {
  async folder() {
    const folder = mkdtempSync(join(tmpdir(), 'batuta-objects-'));
    return { options: { url: join(folder, 'below') }, stop: async () => rmSync(folder, { recursive: true, force: true }) };
  },
  async s3() {
    const { endpoint, stop } = await startS3('bucket');
    return { options: { url: 's3://bucket/below/here/', endpoint, credentials }, stop };
  },
  async 'gs by the protocol of S3'() {
    const { endpoint, stop } = await startS3('bucket');
    return { options: { url: 'gs://bucket', endpoint, credentials: () => credentials }, stop };
  },
  async azure() {
    const { endpoint, stop } = await startAzurite();
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${endpoint}/${account};`;
    const { BlobServiceClient } = await import('@azure/storage-blob');
    await BlobServiceClient.fromConnectionString(connectionString).createContainer('container');
    return { options: { url: 'azure://container/below', connectionString: () => connectionString }, stop };
  },
};

let names = 0;
async function inTask<T>(options: ObjectsOptions, work: (store: ObjectStore) => Promise<T>): Promise<T> {
  const store = objects(`store-${++names}`, options);
  let given: { readonly value: T } | undefined;
  @Flow({ name: `uses-objects-${names}` })
  class UsesObjects {
    @Task()
    async use(ctx: TaskContext): Promise<void> {
      given = { value: await work(await ctx.use(store)) };
    }
  }
  const { client } = await ownEngine();
  await (await client.submit(UsesObjects)).result().catch((error: Error) => {
    throw error.cause;
  });
  if (!given) throw new Error('The task did not run.');
  return given.value;
}

async function keysOf(store: ObjectStore, prefix?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

describe.each(Object.keys(makers))('objects in %s', (name) => {
  let made: Awaited<ReturnType<(typeof makers)[string]>>;
  beforeAll(async () => {
    made = await (makers[name] as (typeof makers)[string])();
  }, 240_000);
  afterAll(() => made?.stop());

  it('are stored whole, read, replaced, listed in order and removed', async () => {
    await inTask(made.options, async (store) => {
      await store.put('days/2026-01-02.txt', 'two', { contentType: 'text/plain' });
      await store.put('days/2026-01-01.txt', Buffer.from('one'));
      await store.put('other/ä ö?.txt', Readable.from(['str', 'eam']));
      await store.put('days/2026-01-02.txt', 'zwei');
      expect((await store.get('days/2026-01-02.txt')).toString()).toBe('zwei');
      expect((await (await store.stream('other/ä ö?.txt')).toArray()).join('')).toBe('stream');
      expect(await keysOf(store)).toEqual(['days/2026-01-01.txt', 'days/2026-01-02.txt', 'other/ä ö?.txt']);
      expect(await keysOf(store, 'days/2026-01-02')).toEqual(['days/2026-01-02.txt']);
      expect(await store.head('days/2026-01-01.txt')).toMatchObject({ key: 'days/2026-01-01.txt', bytes: 3 });
      await store.delete('days/2026-01-01.txt');
      await store.delete('days/2026-01-01.txt');
      expect(await store.head('days/2026-01-01.txt')).toBeNull();
      await store.delete('days/2026-01-02.txt');
      await store.delete('other/ä ö?.txt');
      expect(await keysOf(store)).toEqual([]);
    });
  });

  it('of 20 MB come back as they were, from a stream whose size nobody knows', async () => {
    const bytes = randomBytes(20_000_000);
    await inTask(made.options, async (store) => {
      const pieces = Array.from({ length: 20 }, (_, at) => bytes.subarray(at * 1_000_000, (at + 1) * 1_000_000));
      await store.put('large.bin', Readable.from(pieces));
      const hash = createHash('sha256');
      for await (const chunk of await store.stream('large.bin')) hash.update(chunk as Buffer);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
      await store.delete('large.bin');
    });
  });

  it('take records as a stream, and give them as one', async () => {
    await inTask(made.options, async (store) => {
      const rows = Array.from({ length: 3_000 }, (_, id) => ({ id: String(id), text: `ä "${id}"` }));
      await store.put('rows.csv', toCsv(rows));
      await store.put('rows.ndjson', toNdjson(rows));
      const back = [];
      for await (const row of csv(await store.stream('rows.csv'))) back.push(row);
      expect(back).toEqual(rows);
      for await (const row of ndjson<(typeof rows)[number]>(await store.stream('rows.ndjson'), { name: 'rows.ndjson' })) {
        expect(row).toEqual(rows[Number(row.id)]);
        // Leaves the stream early.
        if (row.id === '5') break;
      }
      await store.put('broken.csv', 'id,text\n1,a\n2,b,c\n');
      const broken = async (): Promise<void> => {
        for await (const _ of csv(await store.stream('broken.csv'), { name: 'broken.csv' }));
      };
      await expect(broken()).rejects.toMatchObject({ code: 'RECORD_INVALID', message: expect.stringContaining('broken.csv:3') });
      for (const key of ['rows.csv', 'rows.ndjson', 'broken.csv']) await store.delete(key);
    });
  });

  it('that break off while they are stored are not there', async () => {
    const breaking = async function* () {
      yield Buffer.alloc(9_000_000);
      yield Buffer.alloc(9_000_000);
      throw new Error('no more');
    };
    await inTask(made.options, async (store) => {
      await expect(store.put('half.bin', breaking())).rejects.toThrow('no more');
      expect(await store.head('half.bin')).toBeNull();
      expect(await keysOf(store)).toEqual([]);
    });
  });

  it('that are not there are named', async () => {
    await expect(inTask(made.options, (store) => store.get('nowhere'))).rejects.toMatchObject({
      ...{ code: 'OBJECT_NOT_FOUND', details: { key: 'nowhere' } },
    });
    await expect(inTask(made.options, (store) => store.stream('nowhere'))).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it.each(['', '/a', 'a//b', '../a', 'a/./b', 'a\\b'])('refuse the key %j', async (key) => {
    await expect(inTask(made.options, (store) => store.put(key, 'x'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('are read and written by signed URLs, where the storage has any', async () => {
    const signed = inTask(made.options, async (store) => {
      const put = await store.signedUrl('signed.txt', { method: 'put', expiresMs: 60_000 });
      const answer = await fetch(put, { method: 'PUT', body: 'by url', headers: { 'x-ms-blob-type': 'BlockBlob' } });
      const read = await (await fetch(await store.signedUrl('signed.txt'))).text();
      await store.delete('signed.txt');
      return [answer.ok, read];
    });
    if (name === 'folder') await expect(signed).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    else expect(await signed).toEqual([true, 'by url']);
  });
});

describe('objects', () => {
  it.each(['ftp://host/a', 's3://', 'azure:///a', ''])('in %j are refused where they are declared', (url) => {
    expect(() => objects('refused', { url })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }) as Error);
  });
});
