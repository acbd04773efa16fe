/** How long runs and task runs took, as the API and the command line tell it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectionLines } from '../../../src/cli/commands/runs-inspect.ts';
import { inspectionJson } from '../../../src/cli/render/json.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { stateOf, type StateName, type StateType } from '../../../src/model/state.ts';
import { startedAt, startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';

const second = 1_000;
let api: Api;
let runId: string;
beforeAll(async () => {
  api = await openApi();
  const { store } = api.client.engine.services;
  const claim = await startRun(store);
  runId = claim.runId;
  const run = async (type: StateType, name: StateName, after: number, patch: object = {}): Promise<void> => {
    const [state, at] = [stateOf(type, name), startedAt + after * second];
    const transition = { runId, taskRunId: null, at, ...state, attempt: 1, owner: null };
    await store.recorder.addRunPatch(claim, { state, ...patch }, transition);
  };
  const row = taskRun(runId, 'load');
  const task = async (type: StateType, name: StateName, attempt: number, after: number): Promise<void> => {
    const next = { ...row, state: stateOf(type, name), attempt, endedAt: type === 'COMPLETED' ? startedAt + after * second : null };
    await store.recorder.addTaskRun(claim, next, transitionOf(next, startedAt + after * second));
  };
  await run('RUNNING', 'Running', 0, { startedAt });
  await task('RUNNING', 'Running', 1, 0);
  await task('SCHEDULED', 'AwaitingRetry', 1, 2);
  await run('SCHEDULED', 'AwaitingRetry', 2, { executedMs: 2 * second, resumedAt: startedAt + 2 * second });
  await run('RUNNING', 'Running', 62, { resumedAt: startedAt + 62 * second });
  await task('RUNNING', 'Retrying', 2, 62);
  await task('COMPLETED', 'Completed', 2, 65);
  await run('PAUSED', 'Suspended', 65, { executedMs: 5 * second, resumedAt: startedAt + 65 * second });
  await run('RUNNING', 'Running', 365, { resumedAt: startedAt + 365 * second });
  await run('COMPLETED', 'Completed', 366, { endedAt: startedAt + 366 * second });
});
afterAll(() => api.close());

test('time suspended stands apart from waiting, and the waits between attempts apart from the duration of a task', async () => {
  const whole = { executingMs: 6 * second, suspendedMs: 300 * second, waitingMs: 60 * second, wallMs: 366 * second };
  const { run, times } = (await api.get(`/api/runs/${runId}`)).json;
  expect([run.durationMs, times]).toEqual([6 * second, whole]);
  const { items } = (await api.get(`/api/runs/${runId}/tasks`)).json;
  const task = (await api.get(`/api/runs/${runId}/tasks/${items[0].id}`)).json;
  expect(task.times).toEqual({ executingMs: 5 * second, suspendedMs: 0, waitingMs: 60 * second, wallMs: 65 * second });
  const inspection = await api.client.runs.inspect(runId);
  expect(inspectionJson(inspection, null)).toMatchObject({
    durationMs: 6 * second,
    suspendedMs: 300 * second,
    tasks: [{ durationMs: 5 * second, suspendedMs: 0, waitingMs: 60 * second }],
  });
  const options = { paint: paintOf(false), width: 120, now: startedAt + 400 * second, cwd: '/', verbose: false };
  const text = inspectionLines(inspection, null, options).join('\n');
  expect(text).toMatch(/suspended +5 m 00 s/);
  expect(text).toMatch(/waited +1 m 00 s between its attempts/);
  expect(text).toMatch(/load .* 5\.0 s .* waited 1 m 00 s between its attempts/);
});
