/** For how many runs at once the rows are counted that an export reads next. */
import { expect, test } from 'vitest';
import type { Connection } from '../../../src/store/connection.ts';
import { exportStore } from '../../../src/store/lists/exported.ts';
import { sqliteFragments } from '../../../src/store/sqlite/fragments.ts';

/** Counts that were made, each of so many runs, where each run has so many rows. */
async function countsOf(runs: number, rowsOf: (run: number) => number): Promise<{ readonly counts: number[]; readonly read: number }> {
  const counts: number[] = [];
  const connection = {
    fragments: sqliteFragments,
    async query(sql: string, [list]: readonly [string]) {
      const ids = (JSON.parse(list) as string[][]).flat();
      if (!sql.includes('group by')) return ids.map((id) => ({ run_id: id }));
      counts.push(ids.length);
      return ids.flatMap((id) => {
        const count = rowsOf(Number(id));
        return count === 0 ? [] : [{ run_id: id, count, bytes: 10 * count }];
      });
    },
  } as unknown as Connection;
  let read = 0;
  for await (const rows of exportStore(connection).transitions(Array.from({ length: runs }, (_, at) => String(at)))) read += rows.length;
  return { counts, read };
}

test('grows while they have few rows, and shrinks where they have many', async () => {
  const few = await countsOf(2_620, (run) => (run % 2 === 0 ? 1 : 0));
  expect(few).toEqual({ counts: [20, 40, 80, 160, 320, 640, 1_000, 360], read: 1_310 });
  const many = await countsOf(100, () => 900);
  expect(many).toEqual({ counts: [20, 10, 10, 10, 10, 10, 10, 10, 10], read: 100 });
  expect((await countsOf(3, () => 0)).read).toBe(0);
});
