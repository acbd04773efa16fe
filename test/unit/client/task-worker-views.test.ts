import { expect, test } from 'vitest';
import { taskWorkerViews } from '../../../src/client/worker-views.ts';

test('processes are named by host and number, whichever version wrote them, sorted by task and how often', () => {
  const rows = [
    { name: 'load', owner: 'db/7@key:12:99', runs: 1, failures: 0, totalMs: 10 },
    { name: 'load', owner: 'old-host:3:99', runs: 4, failures: 1, totalMs: 10 },
    { name: 'join', owner: null, runs: 2, failures: 2, totalMs: 9 },
    { name: 'zip', owner: 'elsewhere', runs: 1, failures: 0, totalMs: 0 },
  ];
  expect(taskWorkerViews(rows).map(({ task, host, pid, runs, meanMs }) => [task, host, pid, runs, meanMs])).toEqual([
    ['join', null, null, 2, 4.5],
    ['load', 'old-host', 3, 4, 2.5],
    ['load', 'db/7', 12, 1, 10],
    ['zip', null, null, 1, 0],
  ]);
});
