/** How exports are read on both databases: page by page, with readers that leave, are stopped, or may not. */
import { describe, expect, test, vi } from 'vitest';
import { fine, useExports } from './export-place.ts';

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
  const place = useExports(on);

  test('page by page it is the same, and what is created after it began is not in it', async () => {
    const before = (await place.api.client.runs.list()).items.map(({ id }) => id);
    let pages = 0;
    const rows = await place.withRuns(
      async (runs, filter) => {
        if (pages++ === 0) {
          const begun = Date.now();
          await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(begun));
          await (await place.api.client.submit(fine)).done();
        }
        return await runs({ ...filter, limit: 2 });
      },
      () => place.rowsOf('runs'),
    );
    expect(pages).toBeGreaterThan(2);
    expect(rows.map(({ id }) => id)).toEqual(before);
  });

  test('a reader that leaves in the middle ends it', async () => {
    const bytes = place.api.client.exports.bytes('task-runs', { format: 'ndjson' })[Symbol.asyncIterator]();
    await bytes.next();
    expect(await bytes.return?.()).toMatchObject({ done: true });
    expect(await bytes.next()).toMatchObject({ done: true });
  });

  test('who stops it is heard where nothing is found for long, here and over HTTP, by the signal and by hanging up', async () => {
    const stops: readonly ((stopping: AbortController) => Promise<unknown>)[] = [
      ({ signal }) => expect(place.bytesOf('logs', { format: 'json', signal })).rejects.toThrow('enough'),
      ({ signal }) => expect(place.bytesOf('logs', { format: 'json', signal }, place.http)).rejects.toThrow('enough'),
      ({ signal }) =>
        expect(fetch(`${place.url}/api/export/logs?format=ndjson`, { signal }).then((answer) => answer.text())).rejects.toThrow('enough'),
    ];
    for (const stop of stops) {
      const stopping = new AbortController();
      let pages = 0;
      // A store in which nothing fits, however far it is read.
      const endless = async () => (pages++, { items: [], next: 'further' });
      await place.withRuns(endless, async () => {
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
    const { figures } = place.api.client.engine.services.store;
    const read = vi.spyOn(figures, 'ended');
    try {
      const all = await place.rowsOf('statistics');
      const reads = read.mock.calls.length;
      expect(await place.rowsOf('statistics', { since: 0 })).toEqual(all);
      expect(read.mock.calls.length).toBe(2 * reads);
    } finally {
      read.mockRestore();
    }
  });

  test('an answer that breaks off fails', async () => {
    await place.withRuns(
      async (runs, filter) => {
        const found = await runs({ ...filter, limit: 1 });
        if (filter?.cursor) throw new Error('the disk is on fire');
        return found;
      },
      () => expect(place.bytesOf('runs', { format: 'json' }, place.http)).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' }),
    );
  });

  // Once there is a key, nobody is let in without one.
  test('an observer gets none', async () => {
    const observer = await place.api.key('observer');
    expect((await place.api.get('/api/export/runs?format=csv', { key: observer })).status).toBe(403);
  });
});
