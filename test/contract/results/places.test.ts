/** Large results, over every place they may lie at. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { folderPlace } from '../../../src/engine/results/folder-place.ts';
import { memoryPlace } from '../../../src/engine/results/memory-place.ts';
import type { ResultPlace } from '../../../src/engine/results/place.ts';
import { s3Place } from '../../../src/engine/results/s3-place.ts';
import { type ResultStorage, resultStorage } from '../../../src/engine/results/storage.ts';
import { storePlace } from '../../../src/engine/results/store-place.ts';
import { parseRef } from '../../../src/model/result-ref.ts';
import { startS3 } from '../../support/s3.ts';
import { makers } from '../store/makers.ts';
import { newRun } from '../store/rows.ts';

interface Opened {
  readonly place: ResultPlace;
  /** Makes a run that results may be of. */
  makeRun(): Promise<string>;
  /** Cuts or changes what lies under a key; null where it lies in this process. */
  readonly spoil: ((key: string, bytes: Uint8Array) => Promise<void>) | null;
  /** Keys of what lies there. */
  keys(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const anyRun = async (): Promise<string> => makeId();

const placeMakers: readonly { readonly name: string; open(): Promise<Opened> }[] = [
  {
    name: 'a folder',
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'batuta-place-'));
      return {
        place: folderPlace(folder),
        makeRun: anyRun,
        spoil: async (key, bytes) => writeFileSync(join(folder, `${key}.json`), bytes),
        keys: async () =>
          readdirSync(folder, { recursive: true, encoding: 'utf8' })
            .filter((name) => name.includes('.json'))
            .map((name) => name.replace(/\.json$/, ''))
            .sort(),
        close: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  },
  ...makers.map((maker) => ({
    name: `the database, ${maker.name}`,
    async open(): Promise<Opened> {
      const here = await maker.makePlace();
      const store = await here.open();
      const place = storePlace(store.results, systemClock);
      const runs: string[] = [];
      return {
        place,
        async makeRun() {
          const run = newRun();
          await store.runs.insert(run);
          runs.push(run.id);
          return run.id;
        },
        async spoil(key, bytes) {
          await store.results.removeParts(key, 0);
          await store.results.writePart(key, 0, bytes);
        },
        async keys() {
          const found: string[] = [];
          for (const run of runs)
            for (const name of ['task-1', 'task-2', 'task-3'])
              if ((await store.results.size(`${run}/${name}`)) !== null) found.push(`${run}/${name}`);
          return found.sort();
        },
        close: () => here.remove(),
      };
    },
  })),
  {
    name: 'S3',
    async open() {
      const server = await startS3();
      const place = s3Place({ bucket: server.bucket, prefix: 'team/results', hasEndpoint: true });
      return {
        place,
        makeRun: anyRun,
        spoil: async (key, bytes) => server.spoil(`team/results/${key}.json`, bytes),
        keys: async () => server.objects().map((name) => name.replace(/^team\/results\//, '').replace(/\.json$/, '')),
        async close() {
          place.close?.();
          await server.stop();
        },
      };
    },
  },
  {
    name: 'memory',
    open: async () => ({ place: memoryPlace(), makeRun: anyRun, spoil: null, keys: async () => [], close: async () => undefined }),
  },
];

const mib = 1024 * 1024;

describe.each(placeMakers)('results in $name', ({ open }) => {
  let here: Opened;
  let storage: ResultStorage;
  let key: string;
  beforeEach(async () => {
    here = await open();
    storage = resultStorage(here.place);
    key = `${await here.makeRun()}/task-1`;
  });
  afterEach(() => here.close());

  test.each([
    ['a short one', '{"json":"short"}'],
    ['one of many pieces', JSON.stringify({ json: 'abc'.repeat(2 * mib) })],
    ['one with a pair at every border of its pieces', '😀'.repeat(mib + 1)],
    ['one of odd characters', '\u00e9\u4e2d\u{1f600}\\u0000"'.repeat(200_000)],
    ['an empty one', ''],
  ])('come back as they were: %s', async (_, text) => {
    const ref = await storage.put(key, text);
    // Compared by hand: a difference of megabytes would be printed.
    expect((await storage.get(ref)) === text).toBe(true);
    const bytes = Buffer.byteLength(text);
    expect(parseRef(ref)).toMatchObject({ place: here.place.prefix, key, bytes });
    if (bytes > 0) expect(await storage.size(ref)).toBe(bytes);
    const pieces: Uint8Array[] = [];
    for await (const piece of await storage.stream(ref)) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(Buffer.from(text))).toBe(true);
  });

  test('that are put again replace what was there, also where they are shorter', async () => {
    await storage.put(key, 'x'.repeat(5 * mib));
    const ref = await storage.put(key, '{"json":1}');
    expect(await storage.get(ref)).toBe('{"json":1}');
  });

  test('that are gone are reported as RESULT_MISSING, whoever asks', async () => {
    const ref = await storage.put(key, '{"json":1}');
    await storage.remove(ref);
    await storage.remove(ref);
    const gone = { code: 'RESULT_MISSING', details: { key, reason: 'missing' } };
    await expect(storage.get(ref)).rejects.toMatchObject(gone);
    await expect(storage.size(ref)).rejects.toMatchObject(gone);
    await expect(storage.stream(ref)).rejects.toMatchObject(gone);
  });

  test('that are not what was stored are reported as damaged, and never handed on', async () => {
    const text = JSON.stringify({ json: 'v'.repeat(3_000) });
    const ref = await storage.put(key, text);
    if (here.spoil === null) return;
    const damaged = { code: 'RESULT_MISSING', details: { key, reason: 'damaged' } };
    await here.spoil(key, Buffer.from(text.replace('vv', 'vw')));
    await expect(storage.get(ref)).rejects.toMatchObject(damaged);
    await here.spoil(key, Buffer.from(text.slice(0, 2_000)));
    await expect(storage.get(ref)).rejects.toMatchObject(damaged);
    await expect(storage.size(ref)).rejects.toMatchObject(damaged);
    await here.spoil(key, Buffer.from(`${text} `));
    await expect(storage.get(ref)).rejects.toMatchObject(damaged);
  });

  test('of another place are not looked for here', async () => {
    const elsewhere = `s3://other-bucket/${key}#3-${'0'.repeat(64)}`;
    await expect(storage.get(elsewhere)).rejects.toMatchObject({ code: 'RESULT_MISSING', details: { reason: 'unknown place' } });
    await expect(storage.remove(elsewhere)).rejects.toMatchObject({ code: 'RESULT_MISSING' });
  });

  test.each(['../secret', 'run/../../secret', '/etc/passwd', 'run/a/b', '', 'run/', 'run'])(
    'no key leads out of the place: %j',
    async (bad) => {
      for (const ask of [
        () => storage.get(here.place.prefix + bad),
        () => storage.remove(here.place.prefix + bad),
        () => storage.put(bad, 'x'),
      ])
        await expect(ask()).rejects.toMatchObject({ code: 'RESULT_MISSING' });
    },
  );
});

describe.each(placeMakers.filter(({ name }) => name === 'a folder' || name === 'S3'))('a sweep of $name', ({ open }) => {
  test('removes what no row names, of these runs only', async () => {
    const here = await open();
    try {
      const storage = resultStorage(here.place);
      const [run, other] = [makeId(), makeId()];
      for (const key of [`${run}/task-1`, `${run}/task-2`, `${other}/task-3`]) await storage.put(key, '{"json":1}');
      await storage.sweep([run], async (locators) => locators.filter((locator) => locator.endsWith('task-2')));
      expect([...(await here.keys())].sort()).toEqual([`${other}/task-3`, `${run}/task-2`].sort());
    } finally {
      await here.close();
    }
  });
});
