import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { expectAllEnded, stubborn } from '../../support/cancelled.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownDatabase, ownEngine } from '../../support/own-engine.ts';

describe('close', () => {
  test('without grace leaves nothing Running', async () => {
    const url = ownDatabase();
    const open = await ownEngine({ url });
    const { Graph, running } = stubborn();
    const handle = await open.client.submit(Graph);
    await running;
    await open.client.close({ graceMs: 0, message: 'Lights out.' });
    const after = await ownEngine({ url });
    await expectAllEnded(after, handle.id);
    expect((await after.client.runs.get(handle.id)).state).toMatchObject({ name: 'Cancelled', message: 'Lights out.' });
  });

  test('cancels also the runs that were being accepted when it was called, and takes no new ones', async () => {
    const url = ownDatabase();
    const open = await ownEngine({ url });
    const accepted = [1, 2, 3].map(() => open.client.submit(stubborn().Graph));
    await open.client.close({ graceMs: 0 });
    const handles = await Promise.all(accepted);
    await expect(open.client.submit(makeFlow({ a: {} }))).rejects.toMatchObject({ code: 'SHUTDOWN' });
    const after = await ownEngine({ url });
    for (const handle of handles) await expectAllEnded(after, handle.id);
  });

  test('a signal that outlives its runs keeps none of them', async () => {
    const open = await ownEngine({ url: ownDatabase() });
    const { signal } = new AbortController();
    for (let run = 0; run < 20; run++) await (await open.client.submit(makeFlow({ a: {} }), {}, { signal })).done();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
