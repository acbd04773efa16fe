import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Connection, Query } from '../../../src/store/connection.ts';
import { taskRunStore } from '../../../src/store/lists/task-runs.ts';
import { migrate } from '../../../src/store/migrations/migrate.ts';
import { GroupCommitRecorder } from '../../../src/store/recorder.ts';
import { openSqlite } from '../../../src/store/sqlite/connection.ts';
import { leaseMs, newRun, owner, taskRun, transitionOf } from '../../contract/store/rows.ts';

test('following a run of many tasks reads as many rows as change, not all of them at each look', async () => {
  const connection = await openSqlite(':memory:', { clock: systemClock, busyTimeoutMs: 1_000 });
  await migrate(connection);
  const recorder = new GroupCommitRecorder(connection);
  let rows = 0;
  const query: Query = async (text, params) => {
    const found = await connection.query(text, params);
    rows += found.length;
    return found as never;
  };
  const counted = { dialect: connection.dialect, fragments: connection.fragments, query } as unknown as Connection;
  const run = newRun();
  await recorder.addRun(run, owner, leaseMs);
  const followed = taskRunStore(counted).follow(run.id);
  await followed.read();
  const count = 4_000;
  const claim = { runId: run.id, epoch: 1 };
  for (let at = 0; at < count; at += 40) {
    for (let index = at; index < at + 40; index++) {
      const row = { ...taskRun(run.id, `load[${index}]`, { index }), state: stateOf('COMPLETED') };
      void recorder.addTaskRun(claim, row, transitionOf(row), true);
    }
    await recorder.flush();
    expect(await followed.read()).toHaveLength(at + 40);
  }
  // A row, its change, and a handful of numbers at each of the hundred looks.
  expect(rows).toBeLessThan(3 * count);
  await connection.close();
});
