/**
 * Code of a guest: a thread for `isolate: 'thread'`, a process for `isolate: 'process'`. It loads the flow's class once, makes an instance
 * for each task, calls the method, and sends what the task does with its context to the engine (`model/isolate-protocol.ts`).
 *
 * The engine starts guests with the built form of this file, gives each one task at a time, and ends one whose task must stop. Loaded
 * classes and resources of scope `worker` outlive a task, as do the variables of a flow's modules.
 */
import { existsSync } from 'node:fs';
import { isMainThread, Worker } from 'node:worker_threads';
import { BatutaError } from '../base/errors.ts';
import { captureConsole } from '../base/console-capture.ts';
import { builtFile } from '../base/installed.ts';
import { takeFromMicrotasks } from '../base/microtasks.ts';
import { signalGroup } from '../base/process-group.ts';
import { escapedError } from '../model/escaped-error.ts';
import { failureOf } from '../model/failure.ts';
import { callInTransaction } from '../effects/call-in-transaction.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { noteGone } from '../model/move.ts';
import { packValue, unpackValue } from '../model/packed-value.ts';
import { currentScope, type EscapeKind, type RunScope, runScope } from '../model/run-context.ts';
import { recordOf } from '../model/streams.ts';
import { hasTracerProvider } from '../model/trace.ts';
import { profiled } from '../model/task-profile.ts';
import type { TaskDefinition } from '../model/task.ts';
import type { FromGuest, IsolatedJob, IsolatedOutcome, ToGuest } from '../model/isolate-protocol.ts';
import { bindField } from '../resources/fields.ts';
import { projectInstantiate } from './create-instance.ts';
import { guestPort } from './guest-port.ts';
import { measureUsage } from './guest-usage.ts';
import { openGuestContext, openLogger, type GuestContext } from './isolate-context.ts';
import { openWorkerScope } from './isolate-resources.ts';
import type { GuestResources } from './isolate-resources.ts';
import { flowsOf } from './load.ts';
import { bundleOf } from './user-file.ts';

const port = guestPort();
const workerScope = openWorkerScope(openLogger('trace', (message) => port.send({ number: 0, message })));
const loaded = new Map<string, FlowDefinition>();
/** The running task. */
let current: { readonly number: number; readonly hear: GuestContext['hear'] } | null = null;

port.listen(hear);
process.on('uncaughtException', (error) => takeEscaped(error, 'exception'));
process.on('unhandledRejection', (error) => takeEscaped(error, 'rejection'));
takeFromMicrotasks((error) => charge(error, 'exception'));
if (isMainThread) watchEngine();

function hear(message: ToGuest): void {
  if (message.kind === 'job') void execute(message.number, message.job);
  else if (message.kind === 'close') void workerScope.scope.close(null).finally(() => port.end());
  else if (current?.number === message.number) current.hear(message.message);
}

/** Executes a task and sends its outcome. Never rejects: any failure is in the outcome. */
async function execute(number: number, job: IsolatedJob): Promise<void> {
  if (isMainThread && job.captureConsole) printAtOnce();
  const opened = openGuestContext(job, (message) => port.send({ number, message }), workerScope);
  current = { number, hear: opened.hear };
  const usage = measureUsage();
  let isOver = false;
  /** Whether its transaction may be committed: its value stands, and escaped errors are the run's. */
  let stands = false;
  let goesOn = false;
  const give = (outcome: IsolatedOutcome, moved: readonly ArrayBuffer[] = []): void => {
    if (isOver) return;
    isOver = true;
    current = null;
    opened.end();
    sendOutcome(number, { outcome, goesOn, usage: usage() }, moved);
  };
  const { context, resources } = opened;
  const release = job.captureConsole ? captureConsole({ currentLogger: () => currentScope()?.logger() }) : undefined;
  const scope: RunScope = {
    runId: job.run.id,
    taskRunId: job.taskFacts.id,
    flow: job.flow,
    task: job.task,
    attempt: job.taskFacts.attempt,
    traceparent: job.traceparent,
    context,
    callTask: null,
    logger: () => context.log,
    escaped(error, how) {
      if (isOver) return context.log.error({ err: error }, 'Code of a task that has ended threw.');
      goesOn = true;
      if (stands) port.send({ number, message: { kind: 'escaped', failure: failureOf(error), how } });
      else give({ ok: false, failure: failureOf(escapedError(error, how, `task ${job.task}`)) });
    },
  };
  try {
    const { task, definition } = await findMethod(job);
    const args = (unpackValue(job.args) ?? []) as unknown[];
    const call = async (): Promise<unknown> => {
      const instance = await definition.create(projectInstantiate(process.cwd()));
      for (const { field, resource } of definition.injects) {
        const value = await resources.use(resource, undefined);
        bindField(instance, field, () => value);
      }
      const method = async (): Promise<unknown> => {
        if (job.asksToBegin) await opened.askToBegin();
        return listed(await task.method.apply(instance, [...args, context]));
      };
      return job.profile ? profiled(context, method) : method();
    };
    const askToCommit = async (): Promise<void> => {
      await opened.askToCommit();
      stands = true;
    };
    const work = (): Promise<unknown> => using(resources, () => calledIn(task, job, { ...opened, askToCommit }, call));
    const value = await (job.isTraced || hasTracerProvider()
      ? (await import('../tracing/guest-tracing.ts')).traced(scope, (message) => port.send({ number, message }), work)
      : runScope.run(scope, work));
    stands = task.transaction !== null;
    await opened.settled();
    const { packed, moved } = packValue(value, `result of task ${job.task}`, false);
    give({ ok: true, value: packed }, moved);
  } catch (error) {
    give({ ok: false, failure: failureOf(error) });
  } finally {
    release?.();
  }
}

type Ended = Omit<FromGuest['message'] & { readonly kind: 'outcome' }, 'kind'>;

function sendOutcome(number: number, ended: Ended, moved: readonly ArrayBuffer[]): void {
  try {
    port.send({ number, message: { kind: 'outcome', ...ended } }, moved);
    if (!isMainThread) noteGone(moved);
  } catch (error) {
    // Memory that cannot leave its thread, e.g. of WebAssembly, is copied.
    if (moved.length > 0) return sendOutcome(number, ended, []);
    port.send({ number, message: { kind: 'outcome', ...ended, outcome: { ok: false, failure: failureOf(error) } } });
  }
}

/** Charged to its task; if it belongs to none, the guest ends as under Node.js. */
function takeEscaped(error: unknown, how: EscapeKind): void {
  if (charge(error, how)) return;
  process.removeAllListeners('uncaughtException');
  process.nextTick(() => {
    throw error;
  });
}

function charge(error: unknown, how: EscapeKind): boolean {
  const scope = currentScope();
  if (!scope?.escaped) return false;
  scope.escaped(error, how);
  return true;
}

/**
 * Writes to the pipes of this process wait until they are taken. Otherwise what is not taken yet is lost when the process ends, and the
 * programs it starts inherit pipes that refuse to be written to when they are full.
 */
function printAtOnce(): void {
  for (const stream of [process.stdout, process.stderr])
    (stream as unknown as { readonly _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(true);
}

/** Ends this process with its engine. */
function watchEngine(): void {
  process.on('disconnect', () => signalGroup(process.pid, 'SIGKILL'));
  new Worker(builtFile('define/orphan-guard.js'), { name: 'batuta orphan guard', execArgv: [] }).unref();
}

/** Result of the work, its resources closed. @throws what it throws, or why one of them could not be closed */
async function using<T>(resources: GuestResources, work: () => Promise<T>): Promise<T> {
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

/** Result of the call, in the task's transaction if it has one. */
function calledIn(
  { transaction }: TaskDefinition,
  { task, taskKey, run }: IsolatedJob,
  { context, resources, askToCommit, tellEarlier }: GuestContext,
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

async function findMethod(job: IsolatedJob): Promise<{ readonly task: TaskDefinition; readonly definition: FlowDefinition }> {
  const definition = await findDefinition(job);
  const task = definition.tasks.get(job.task);
  if (!task) throw unavailable(job, `its file has no task '${job.task}' any more; run the flow again`);
  return { task, definition };
}

/** By export, else by class or flow name: a class not loaded by the loader only knows its file. */
async function findDefinition(job: IsolatedJob): Promise<FlowDefinition> {
  const { source, pinned } = job;
  if (source === null) throw unavailable(job, 'its file is not known: run it by the path of its file, or leave isolate out');
  // A changed file is loaded again, except for runs pinned to its old version.
  const isKept = pinned !== null && existsSync(pinned.bundle.module);
  const bundle = isKept ? { inputs: [], tsconfig: null, packages: {}, ...pinned.bundle } : await bundleOf(source.file);
  const key = `${bundle.module}#${source.exportName}#${job.flow}`;
  const known = loaded.get(key);
  if (known) return known;
  const flows = (await flowsOf(source.file, bundle)).map(({ definition }) => definition);
  const found =
    flows.find((flow) => flow.name === job.flow && flow.source?.exportName === source.exportName) ??
    flows.find((flow) => flow.name === job.flow) ??
    flows.find((flow) => flow.className === job.className);
  if (!found) throw unavailable(job, `${source.file} does not export its class ${job.className}; export it`);
  if (pinned !== null && found.version !== pinned.version)
    throw unavailable(
      job,
      `its run is pinned to version ${pinned.version}, whose code is gone: ${source.file} has changed since it was loaded`,
    );
  loaded.set(key, found);
  return found;
}

function unavailable(job: IsolatedJob, why: string): BatutaError {
  return new BatutaError('ISOLATION_UNAVAILABLE', `Task ${job.task} of flow ${job.flow} asks for its own thread or process, but ${why}.`, {
    details: { flow: job.flow, task: job.task, file: job.source?.file ?? null },
  });
}

/** A generator's items as a list, a form that can be passed on. */
async function listed(value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  const isGenerator = Symbol.asyncIterator in value || (Symbol.iterator in value && 'next' in value && typeof value.next === 'function');
  if (!isGenerator) return value;
  const items: unknown[] = [];
  for await (const item of value as AsyncIterable<unknown>) items.push(recordOf(item));
  return items;
}
