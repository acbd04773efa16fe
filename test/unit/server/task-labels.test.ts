/** Names of the task runs of a log, read as they are needed. */
import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { TaskLabels } from '../../../src/server/task-labels.ts';

/** A run that grows: pages of two, the cursor is the place of the last of a page. Keeps note of the pages asked for. */
function growing() {
  const names: string[] = [];
  const asked: (string | undefined)[] = [];
  const taskRuns = async (_: string, { cursor }: { readonly cursor?: string } = {}) => {
    asked.push(cursor);
    const from = Number(cursor ?? 0);
    const items = names.slice(from, from + 2).map((name) => ({ id: `id-${name}`, name, displayName: null, index: null }));
    return { items, next: names.length > from + 2 ? String(from + 2) : null };
  };
  return { names, asked, client: { runs: { taskRuns } } as unknown as Client };
}

test('only as many pages are read as name the lines, and what is recorded later is found', async () => {
  const { names, asked, client } = growing();
  names.push('a', 'b', 'c', 'd', 'e');
  const labels = new TaskLabels(client, 'run');
  await labels.learn([null, 'id-a', 'id-b']);
  expect([labels.of('id-a'), labels.of('id-e'), labels.of(null), asked]).toEqual(['a', null, null, [undefined]]);
  await labels.learn(['id-a', 'id-e']);
  await labels.learn(['id-c', null]);
  expect([labels.of('id-e'), asked]).toEqual(['e', [undefined, '2', '4']]);
  names.push('f', 'g');
  await labels.learn(['id-g', 'id-of-none']);
  expect([labels.of('id-g'), labels.of('id-of-none'), asked.slice(3)]).toEqual(['g', null, ['4', '6']]);
});
