/**
 * What a worker thread runs for `isolate: 'thread'`: loads the flow's class once a thread, makes an instance for each task, calls the method,
 * and sends what the task does with its context to the engine (`model/thread-protocol.ts`).
 *
 * The engine starts threads with the built form of this file, and ends one whose task has to stop; only loaded classes outlive a task.
 */
import { BatutaError } from '../base/errors.ts';
import { captureConsole } from '../base/console-capture.ts';
import { failureOf } from '../model/failure.ts';
import { callInTransaction } from '../effects/call-in-transaction.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { currentScope, runScope } from '../model/run-context.ts';
import type { TaskDefinition } from '../model/task.ts';
import type { ThreadJob, ThreadOutcome } from '../model/thread-protocol.ts';
import { decodeValue, encodeValue } from '../model/values.ts';
import { bindField } from '../resources/fields.ts';
import { projectInstantiate } from './create-instance.ts';
import { loadFlowFile } from './load.ts';
import { openThreadContext, type ThreadContext } from './thread-context.ts';
import type { ThreadResources } from './thread-resources.ts';

const loaded = new Map<string, FlowDefinition>();

/** Executes one task. Never rejects: whatever goes wrong is in the outcome. */
export async function runTask(job: ThreadJob): Promise<ThreadOutcome> {
  const opened = openThreadContext(job);
  const { context, resources, close } = opened;
  const release = job.captureConsole ? captureConsole({ currentLogger: () => currentScope()?.logger() }) : undefined;
  try {
    const { task, definition } = await findMethod(job);
    const args = (decodeValue(job.args) ?? []) as unknown[];
    const scope = {
      runId: job.run.id,
      taskRunId: job.taskFacts.id,
      flow: job.flow,
      task: job.task,
      attempt: job.taskFacts.attempt,
      traceparent: job.traceparent,
      context,
      callTask: null,
      logger: () => context.log,
    };
    const call = async (): Promise<unknown> => {
      const instance = await definition.create(projectInstantiate(process.cwd()));
      for (const { field, resource } of definition.injects) {
        const opened = await resources.use(resource, undefined);
        bindField(instance, field, () => opened);
      }
      return listed(await task.method.apply(instance, [...args, context]));
    };
    const value = await runScope.run(scope, () => using(resources, () => calledIn(task, job, opened, call)));
    return { ok: true, value: encodeValue(value, `result of task ${job.task}`) };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  } finally {
    release?.();
    close();
  }
}

/** What the work gives, its resources closed. @throws what it throws, or why one of them could not be closed */
async function using<T>(resources: ThreadResources, work: () => Promise<T>): Promise<T> {
  let value: T;
  try {
    value = await work();
  } catch (error) {
    await resources.close({ error });
    throw error;
  }
  await resources.close(null);
  return value;
}

/** What the call gives, in the transaction of the task where it has one. */
function calledIn(
  { transaction }: TaskDefinition,
  { task, taskKey, run }: ThreadJob,
  { context, resources, askToCommit, tellEarlier }: ThreadContext,
  call: () => Promise<unknown>,
): Promise<unknown> {
  if (transaction === null) return call();
  return callInTransaction(
    {
      ...{ task, context, tellEarlier },
      effectKey: { runId: run.id, taskKey },
      mayBeRepeated: true,
      signal: context.signal,
      useResource: (resource, key) => resources.use(resource, key),
      beginCommit: askToCommit,
    },
    transaction,
    call,
  );
}

async function findMethod(job: ThreadJob): Promise<{ readonly task: TaskDefinition; readonly definition: FlowDefinition }> {
  const definition = await findDefinition(job);
  const task = definition.tasks.get(job.task);
  if (!task) throw unavailable(job, `its file has no task '${job.task}' any more; run the flow anew`);
  return { task, definition };
}

/** By export, else by class or flow name: a class that was not brought in by the loader knows its file only. */
async function findDefinition(job: ThreadJob): Promise<FlowDefinition> {
  const { source } = job;
  if (source === null) throw unavailable(job, 'its file is not known: run it by the path of its file, or leave isolate out');
  const key = `${source.file}#${source.exportName}#${job.flow}`;
  const known = loaded.get(key);
  if (known) return known;
  const flows = (await loadFlowFile(source.file)).map(({ definition }) => definition);
  const found =
    flows.find((flow) => flow.name === job.flow && flow.source?.exportName === source.exportName) ??
    flows.find((flow) => flow.name === job.flow) ??
    flows.find((flow) => flow.className === job.className);
  if (!found) throw unavailable(job, `${source.file} does not export its class ${job.className}; export it`);
  loaded.set(key, found);
  return found;
}

function unavailable(job: ThreadJob, why: string): BatutaError {
  return new BatutaError('ISOLATION_UNAVAILABLE', `Task ${job.task} of flow ${job.flow} asks for a thread, but ${why}.`, {
    details: { flow: job.flow, task: job.task, file: job.source?.file ?? null },
  });
}

/** What a generator gives, as a list: the form in which it can be handed on. */
async function listed(value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  const isGenerator = Symbol.asyncIterator in value || (Symbol.iterator in value && 'next' in value && typeof value.next === 'function');
  if (!isGenerator) return value;
  const items: unknown[] = [];
  for await (const item of value as AsyncIterable<unknown>) items.push(item);
  return items;
}
