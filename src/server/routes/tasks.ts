/** Looking at the task runs of a run. */
import { BatutaError } from '../../base/errors.ts';
import { toWire } from '../../client/wire.ts';
import { pickById } from '../../model/pick-by-id.ts';
import { wholeTaskRunId } from '../../client/whole-task-run-id.ts';
import type { TaskRun } from '../../model/run.ts';
import type { App, RouteParts } from '../parts.ts';
import { taskRunJson } from '../run-json.ts';
import { given, idParams } from '../schemas/common.ts';
import { taskListQuery, taskParams, transitionsQuery } from '../schemas/runs.ts';
import { sendValue } from '../send-value.ts';
import { textOf, wireValue } from '../values.ts';

export function taskRoutes(app: App, { client }: RouteParts): void {
  const tags = ['tasks'];
  const { services } = client.engine;
  const { store } = services;

  app.get(
    '/api/runs/:id/tasks',
    { schema: { tags, description: 'Task runs, in the order they were first recorded.', params: idParams, querystring: taskListQuery } },
    async (request) => {
      const { state, ...rest } = request.query;
      const { items, next } = await client.runs.taskRuns(request.params.id, given({ ...rest, states: state }));
      return { items: items.map(taskRunJson), next };
    },
  );

  app.get(
    '/api/runs/:id/transitions',
    { schema: { tags, description: 'What became of a run and its tasks, oldest first.', params: idParams, querystring: transitionsQuery } },
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      const { task } = request.query;
      const items = await store.transitions.ofRun(id, task === 'none' ? null : await wholeTaskRunId(store, id, task));
      return { items: items.map((item) => toWire(item)) };
    },
  );

  app.get(
    '/api/runs/:id/tasks/:taskRunId',
    { schema: { tags, description: 'A task run with its result and what it was given.', params: taskParams } },
    async (request) => {
      const { taskRun, inputs } = await findTaskRun(request.params);
      const path = `/api/runs/${taskRun.runId}/tasks/${taskRun.id}`;
      const result = await textOf(services.results, taskRun);
      return { taskRun: taskRunJson(taskRun), result: wireValue(result, `${path}/result`), inputs: inputs.map(taskRunJson) };
    },
  );

  app.get(
    '/api/runs/:id/tasks/:taskRunId/result',
    { schema: { tags, description: 'The result of a task run alone, as a file.', params: taskParams } },
    async (request, reply) => {
      const { taskRun } = await findTaskRun(request.params);
      const text = await textOf(services.results, taskRun);
      if (text === null)
        throw new BatutaError('RESULT_MISSING', `Task run ${taskRun.id} has no result.`, { details: { taskRunId: taskRun.id } });
      return sendValue(reply, text, `${taskRun.id}-result`);
    },
  );

  /** A task run with those that it was given the results of. */
  async function findTaskRun({
    id,
    taskRunId,
  }: {
    readonly id: string;
    readonly taskRunId: string;
  }): Promise<{ readonly taskRun: TaskRun; readonly inputs: readonly TaskRun[] }> {
    const run = await client.runs.get(id);
    const all = await store.taskRuns.ofRun(run.id);
    const taskRun = pickById(all, taskRunId, { code: 'NOT_FOUND', plural: 'task runs' }, ({ key }) => key);
    if (!taskRun)
      throw new BatutaError('NOT_FOUND', `Run ${run.id} has no task run ${taskRunId}.`, { details: { runId: run.id, taskRunId } });
    const keys = new Set(taskRun.dependsOn ?? []);
    return { taskRun, inputs: all.filter(({ key }) => keys.has(key)) };
  }
}
