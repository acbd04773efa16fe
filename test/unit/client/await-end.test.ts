import { expect, test } from 'vitest';
import { remoteHandle } from '../../../src/client/remote-handle.ts';
import { openStore } from '../../../src/store/open.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { openEngine } from '../../support/open-engine.ts';

test('whoever waits for the result of a run reads none of its task runs', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  let read = 0;
  const counting = <F extends (...given: never[]) => unknown>(call: F): F => ((...given: never[]) => (read++, call(...given))) as F;
  const { ofRun, follow, page, byKeys } = store.taskRuns;
  const taskRuns = { ...store.taskRuns, ofRun: counting(ofRun), follow: counting(follow), page: counting(page), byKeys: counting(byKeys) };
  const { client } = await openEngine({ store: { ...store, taskRuns } });
  const flow = makeFlow({ list: { does: () => [1, 2, 3] }, load: { each: 'list', does: (item: number) => item * 2 } });
  const { id } = await client.submit(flow);
  const handle = remoteHandle(client.runs, id, async () => 'its value');
  expect([(await handle.done()).state.name, await handle.result(), read]).toEqual(['Completed', 'its value', 0]);
  await client.close();
});
