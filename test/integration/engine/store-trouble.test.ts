import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isBatutaError } from 'batuta';
import { isTerminal } from '../../../src/model/state.ts';
import { openStore } from '../../../src/store/open.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { openEngine } from '../../support/open-engine.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-trouble-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a run whose store is in trouble', () => {
  test('fails where a large result cannot be written, with a code, and completes by a retry once it can', async () => {
    let calls = 0;
    const flow = makeFlow({
      small: { does: () => ++calls },
      big: { needs: ['small'], does: () => 'x'.repeat(300_000) },
      last: { needs: ['big'], does: (big: string) => big.length },
    });
    const results = join(folder, 'results');
    writeFileSync(results, 'a file where the folder should be');
    const open = await openEngine({ url: `sqlite:${join(folder, 'runs.db')}`, results, flows: [flow] });
    const handle = await open.client.submit(flow);
    const run = await handle.done();
    expect(run).toMatchObject({
      state: { name: 'Failed' },
      error: { code: 'STORE_UNAVAILABLE', message: expect.stringContaining(results) },
    });
    const { taskRuns } = await open.client.runs.inspect(run.id);
    expect(taskRuns.map((row) => `${row.name} ${row.state.name}`)).toEqual(['small Completed', 'big Failed', 'last UpstreamFailed']);
    rmSync(results);
    expect(await (await open.client.runs.retry(run.id)).result()).toBe(300_000);
    expect(calls).toBe(1);
    expect(readdirSync(results)).toEqual([run.id]);
    await open.client.close();
  });

  test('whose database file is overwritten rejects with STORE_CORRUPT, and so does whoever opens it next', async () => {
    const path = join(folder, 'runs.db');
    const [running, goOn] = [gate(), gate()];
    const flow = makeFlow({
      wait: { does: () => (running.open(undefined), goOn.opened) },
      many: { needs: ['wait'], does: () => Array.from({ length: 3_000 }, (_, at) => at) },
      work: { each: 'many', does: (item: number) => String(item).repeat(100) },
    });
    const open = await openEngine({ url: `sqlite:${path}`, flows: [flow] });
    const handle = await open.client.submit(flow);
    await running.opened;
    await open.store.recorder.flush();
    // After a write of somebody else's nobody trusts the pages in memory.
    const other = await openEngine({ url: `sqlite:${path}` });
    await (await other.client.submit(makeFlow({ a: {} }, { name: 'other' }))).done();
    for (const file of [path, `${path}-wal`]) overwrite(file);
    goOn.open(undefined);
    const ended = await handle.done().catch((error: unknown) => error);
    expect(isBatutaError(ended) ? ended.code : ended).toBe('STORE_CORRUPT');
    await open.client.close({ graceMs: 0 });
    await other.client.close();
    await expect(openStore({ url: `sqlite:${path}` })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test('whose connection is closed under it rejects with STORE_UNAVAILABLE, and is continued by the next process', async () => {
    const url = `sqlite:${join(folder, 'runs.db')}`;
    const [running, goOn] = [gate(), gate<string>()];
    const flow = (value: Promise<string>) =>
      makeFlow({ first: {}, wait: { needs: ['first'], does: () => (running.open(undefined), value) } });
    const open = await openEngine({ url });
    const handle = await open.client.submit(flow(goOn.opened));
    await running.opened;
    await open.store.close();
    goOn.open('lost');
    await expect(handle.done()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const next = await openEngine({ url, isOwnerGone: () => true, flows: [flow(Promise.resolve('kept'))] });
    expect(isTerminal((await next.client.runs.get(handle.id)).state.type)).toBe(false);
    expect(await (await next.client.runs.resume(handle.id)).result()).toBe('kept');
    await next.client.close();
    await open.client.close();
  });
});

function overwrite(file: string): void {
  const { size } = statSync(file);
  const open = openSync(file, 'r+');
  writeSync(open, Buffer.alloc(size, 0xa5), 0, size, 0);
  closeSync(open);
}
