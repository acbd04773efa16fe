/** Reading the task runs of a run. */
import { spentTimes } from '../../model/run-times.ts';
import { BatutaError } from '../../base/errors.ts';
import { storedGraph } from '../../client/stored-graph.ts';
import { toWire } from '../../client/wire.ts';
import { pickById } from '../../model/pick-by-id.ts';
import { wholeTaskRunId } from '../../client/whole-task-run-id.ts';
import type { TaskRun } from '../../model/run.ts';
import type { App, RouteParts } from '../parts.ts';
import { taskRunJson } from '../run-json.ts';
import { documented, given, idParams } from '../schemas/common.ts';
import { taskListQuery, taskParams, transitionsQuery } from '../schemas/runs.ts';
import { sendValue } from '../send-value.ts';
import { shownValue, unlessMissing } from '../values.ts';

/** Task runs shown as inputs of one; a join may have a hundred thousand. */
const shownInputs = 1_000;

export function taskRoutes(app: App, { client }: RouteParts): void {
  const about = documented('tasks');
  const { services } = client.engine;
  const { store } = services;

  app.get(
    '/api/runs/:id/tasks',
    about('Task runs, in the order they were first recorded.', { params: idParams, querystring: taskListQuery }),
    async (request) => {
      const { state, ...rest } = request.query;
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { items, next } = await client.runs.taskRuns(id, given({ ...rest, states: state, values: false }));
      return { items: items.map(taskRunJson), next };
    },
  );

  app.get(
    '/api/runs/:id/graph',
    about('Task runs counted by task, and what tasks of a code flow were given; small however many items a task has.', {
      params: idParams,
    }),
    async (request) => {
      const { id, flow } = await client.runs.get(request.params.id);
      request.runId = id;
      const [groups, stored] = await Promise.all([store.taskRuns.groupsOfRun(id), store.flows.get(flow)]);
      // The edges of a static graph are in the flow, except those to what undid its tasks.
      const known = new Set(stored?.kind === 'graph' ? storedGraph(stored.graph)?.nodes.map(({ name }) => name) : []);
      const given = groups.every(({ name }) => known.has(name)) ? [] : await store.taskRuns.givenByName(id);
      return { items: groups.map((group) => toWire(group)), given };
    },
  );

  app.get(
    '/api/runs/:id/transitions',
    about('The states that a run and its tasks went through, oldest first.', { params: idParams, querystring: transitionsQuery }),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { task, ...page } = request.query;
      const taskRunId = task === 'none' ? null : await wholeTaskRunId(store, id, task);
      const { items, next } = await store.transitions.page(id, given({ ...page, taskRunId }));
      return { items: items.map((item) => toWire(item)), next };
    },
  );

  app.get(
    '/api/runs/:id/tasks/:taskRunId',
    about('A task run with its result and what it was given.', { params: taskParams }),
    async (request) => {
      const taskRun = await findTaskRun(request.params);
      request.runId = taskRun.runId;
      const [history, stored, inputs] = await Promise.all([
        store.transitions.ofRun(taskRun.runId, taskRun.id),
        services.store.taskRuns.byKeys(taskRun.runId, [taskRun.key]),
        // The inputs of a task, as many as a page shows.
        store.taskRuns.shown(taskRun.runId, { keys: (taskRun.dependsOn ?? []).slice(0, shownInputs) }),
      ]);
      const download = `/api/runs/${taskRun.runId}/tasks/${taskRun.id}/result`;
      const result = await shownValue(services.results, stored[0] ?? taskRun, download).catch(unlessMissing);
      const times = spentTimes(history, services.clock.now());
      return { taskRun: taskRunJson(taskRun), times, result, inputs: inputs.map(taskRunJson) };
    },
  );

  app.get(
    '/api/runs/:id/tasks/:taskRunId/result',
    about('The result of a task run alone, as a file.', { params: taskParams }),
    async (request, reply) => {
      const { runId, key, id } = await findTaskRun(request.params);
      const [stored] = await store.taskRuns.byKeys(runId, [key]);
      const missing = { message: `Task run ${id} has no result.`, details: { taskRunId: id } };
      return await sendValue(reply, { results: services.results, stored, name: `${id}-result`, missing });
    },
  );

  async function findTaskRun({ id, taskRunId }: { readonly id: string; readonly taskRunId: string }): Promise<TaskRun> {
    const run = await client.runs.get(id);
    const fitting = await store.taskRuns.shown(run.id, { idPart: taskRunId });
    const taskRun = pickById(fitting, taskRunId, { code: 'NOT_FOUND', plural: 'task runs' }, ({ key }) => key);
    if (taskRun) return taskRun;
    throw new BatutaError('NOT_FOUND', `Run ${run.id} has no task run ${taskRunId}.`, { details: { runId: run.id, taskRunId } });
  }
}
