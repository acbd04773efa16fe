/** Queries about and changes of runs, over an open store and the engine of this process. */
import { debounceKeyIn, submittedIn, withSubmitted } from '../model/submitted.ts';
import { forPeople } from '../model/sensitive.ts';
import { hidesValues } from '../base/hidden-values.ts';
import { refuseSecrets } from '../engine/values/refuse-secrets.ts';
import { checkFilter } from '../model/list-filters.ts';
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import { cancelBelow, cancelOnAbort } from '../engine/run/cancel.ts';
import { refusePinnedElsewhere } from '../engine/run/pinned.ts';
import { refuseDecisionName } from '../model/inbox.ts';
import { checkSignalName } from '../model/signal.ts';
import { decodeValue, encodeValue, loadValue, removeResults } from '../engine/values/results.ts';
import type { Alike } from '../model/failure-sentence.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { EngineListener } from '../model/events.ts';
import type { Run } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import type { TaskRunFilter } from '../store/store.ts';
import { checkOptions } from './call-options.ts';
import { goOnAfter } from './after-end.ts';
import { alikeTo } from './alike.ts';
import { type BulkSource, cancelling, changeMany, deleting, requeueing } from './bulk-runs.ts';
import type { EmbeddedRunsClient, RunHandle, RunInspection, RunsClient } from './client.ts';
import { handleOf } from './run-handle.ts';
import type { BulkReport, BulkWish, WaitReason } from './fleet-client.ts';
import { type FlowShape, namesFrom } from './names-from.ts';
import { storedGraph } from './stored-graph.ts';
import { type PinsOptions, RunPins } from './run-pins.ts';
import { awaitEnd, watchRun } from './watch-run.ts';
import { wholeTaskRunId } from './whole-task-run-id.ts';
import { stopIfLoading } from '../model/loading.ts';

export interface LocalRunsOptions extends PinsOptions {
  /** The definition with which a recorded run continues. @throws BatutaError FLOW_NOT_FOUND, FILE_… */
  readonly findDefinition: (run: Run) => Promise<FlowDefinition>;
  /** Has due suspended runs continued. */
  readonly wake: (runIds: readonly string[]) => Promise<void>;
  /** Has schedulers find the next run of a backfill at once. Best effort. */
  readonly tellBackfills: () => Promise<void>;
  /** Called before a run starts to execute here, so that its log lines find their listener. */
  readonly listen: (runId: string, listener: EngineListener | undefined) => EngineListener | null;
}

export class LocalRuns extends RunPins implements EmbeddedRunsClient {
  readonly #options: LocalRunsOptions;
  readonly list: EmbeddedRunsClient['list'];

  constructor(options: LocalRunsOptions) {
    super(options);
    this.#options = options;
    this.list = async (filter = {}) => {
      checkFilter('runs', filter);
      return await options.store.runs.list(filter);
    };
  }

  async get(id: string): Promise<Run> {
    const run = await this.#options.store.runs.get(id);
    if (!run)
      throw new BatutaError('RUN_NOT_FOUND', `No run has the id ${id}. List the newest with: ${programName()} runs ls`, {
        details: { runId: id },
      });
    return run;
  }

  async inspect(id: string): Promise<RunInspection> {
    const { store, engine } = this.#options;
    const run = await this.get(id);
    const [taskRuns, transitions, artifacts, resources, children] = await Promise.all([
      store.taskRuns.ofRun(run.id),
      store.transitions.ofRun(run.id),
      store.artifacts.ofRun(run.id),
      store.resourceUses.ofRun(run.id),
      store.runs.children(run.id),
    ]);
    const params = forPeople(run.params);
    const shown = withSubmitted(params, submittedIn(run.params));
    return {
      run: shown === run.params ? run : { ...run, params: shown },
      taskRuns,
      transitions,
      artifacts,
      resources,
      children,
      params: decodeValue(params),
      result: await loadValue(engine.services.results, run),
      alike: await this.#alikeTo(run),
      rollback: await this.#rollbackOf(run),
      pin: await this.pinOf(run),
    };
  }

  async logs(id: string, filter: Parameters<RunsClient['logs']>[1] = {}): ReturnType<RunsClient['logs']> {
    checkFilter('log lines', filter);
    const { store } = this.#options;
    const run = await this.get(id);
    const taskRunId = await wholeTaskRunId(store, run.id, filter?.taskRunId);
    return store.logs.ofRun(run.id, taskRunId === undefined ? filter : { ...filter, taskRunId });
  }

  async why(id: string): Promise<WaitReason | null> {
    const { store, clock, engine } = this.#options;
    const { settings, isOwnerGone } = engine.services;
    const { whyWaiting } = await import('./why.ts');
    const { leaseMs, heartbeatMs } = settings;
    return whyWaiting({ store, clock, leaseMs, heartbeatMs, isOwnerGone }, await this.get(id));
  }

  async alike(id: string): ReturnType<RunsClient['alike']> {
    return await this.#alikeTo(await this.get(id));
  }

  watch(id: string, signal?: AbortSignal): ReturnType<RunsClient['watch']> {
    return watchRun(this.#options.store, this.#options.clock, id, signal);
  }

  /** The run once it has ended. @throws BatutaError RUN_NOT_FOUND */
  awaitEnd(id: string): Promise<Run> {
    return awaitEnd(this.#options.store, this.#options.clock, id);
  }

  async cancel(id: string, message = 'It was cancelled by hand.'): Promise<Run> {
    const { store, engine } = this.#options;
    const run = await this.get(id);
    if (isTerminal(run.state.type)) throw refused(run, 'it has already ended', 'There is nothing to cancel.');
    const here = engine.underWay(run.id);
    if (here) here.cancel(message);
    else {
      await store.runs.requestCancel(run.id, engine.services.clock.now(), message, engine.services.isOwnerGone);
      // An owner cancels its sub-flows itself; an unowned run has nobody to.
      await cancelBelow(engine.services, run.id, message);
      engine.services.limits.runs.freed(run.concurrencyKey);
    }
    await store.recorder.flush();
    const cancelled = await this.get(run.id);
    if (isTerminal(cancelled.state.type)) await goOnAfter(cancelled, this.#options);
    return cancelled;
  }

  async resume(id: string, options: Parameters<EmbeddedRunsClient['resume']>[1] = {}): Promise<RunHandle> {
    await stopIfLoading();
    const run = await this.get(id);
    if (isTerminal(run.state.type))
      throw refused(run, `it has ended (${run.state.name})`, `To run what did not complete again: ${programName()} runs retry ${run.id}`);
    if (debounceKeyIn(run.params) !== null) await this.#options.store.debounces.forget(run.id);
    return this.#continue(run, await this.#options.findDefinition(run), options);
  }

  async retry(id: string, options: Parameters<EmbeddedRunsClient['retry']>[1] = {}): Promise<RunHandle> {
    await stopIfLoading();
    const { store, engine } = this.#options;
    const run = await this.get(id);
    if (!isTerminal(run.state.type))
      throw refused(
        run,
        `it is ${run.state.name}`,
        `Cancel it first, or continue it when its process is gone: ${programName()} runs resume ${run.id}`,
      );
    const definition = await this.#options.findDefinition(run);
    // Beforehand, so that a refusal changes nothing.
    await refusePinnedElsewhere(store, run, definition);
    const names = options.from === undefined ? undefined : namesFrom(shapeOf(definition), options.from, await store.taskRuns.ofRun(run.id));
    const reopened = await store.runs.reopen(run.id, engine.services.clock.now(), names);
    if (!reopened)
      throw refused(run, `it is ${run.state.name}`, 'Only a run that failed, crashed or was cancelled can be retried; start a new one.');
    return this.#continue(reopened, definition, options);
  }

  async requeue(id: string, options: { readonly from?: string } = {}): Promise<Run> {
    checkOptions('requeue', options);
    const run = await this.#reopen(await this.get(id), options.from);
    await this.#options.ticket([run]);
    return run;
  }

  cancelMany({ message, ...wish }: Parameters<RunsClient['cancelMany']>[0]): Promise<BulkReport> {
    return changeMany(this.source, wish, { ...cancelling, change: async ({ id }) => void (await this.cancel(id, message)) });
  }

  requeueMany(wish: BulkWish): Promise<BulkReport> {
    const opened: Run[] = [];
    return changeMany(this.source, wish, {
      ...requeueing,
      change: async (run) => void opened.push(await this.#reopen(run)),
      afterPage: () => this.#options.ticket(opened.splice(0)),
    });
  }

  deleteMany(wish: BulkWish): Promise<BulkReport> {
    return changeMany(this.source, wish, { ...deleting, change: ({ id }) => this.delete(id) });
  }

  async taskRuns(id: string, filter: TaskRunFilter = {}): ReturnType<RunsClient['taskRuns']> {
    checkFilter('task runs', filter);
    return this.#options.store.taskRuns.page((await this.get(id)).id, filter);
  }

  async taskCounts(id: string): ReturnType<RunsClient['taskCounts']> {
    return this.#options.store.taskRuns.countsOfRun((await this.get(id)).id);
  }

  async signal(id: string, name: string, data?: unknown): Promise<number> {
    checkSignalName(name);
    refuseDecisionName(name);
    const { store, engine } = this.#options;
    const run = await this.get(id);
    if (isTerminal(run.state.type)) throw refused(run, `it has ended (${run.state.name})`, 'Nobody waits for the signal any more.');
    const text = encodeValue(data, `data of signal ${name}`);
    if (hidesValues()) refuseSecrets(text, `data of signal ${name}`);
    const sent = await store.signals.send(run.id, name, text, engine.services.clock.now());
    if (!sent) throw new BatutaError('RUN_NOT_FOUND', `Run ${run.id} is gone.`, { details: { runId: run.id } });
    if (sent.woken.length > 0) await this.#options.wake(sent.woken);
    return sent.number;
  }

  async delete(id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    checkOptions('delete', options);
    const { store, engine } = this.#options;
    const run = await this.get(id);
    const refs = await store.resultRefs(run.id);
    const runIds = await this.#familyOf(run.id);
    if (!(await store.runs.delete(run.id, options)))
      throw refused(run, `it is ${run.state.name}`, 'Cancel it first, or delete it all the same with --force.');
    engine.services.limits.runs.freed(run.concurrencyKey);
    if (!isTerminal(run.state.type)) await goOnAfter(run, this.#options);
    const kept = await store.keptResults(refs);
    const resultRefs = refs.filter((ref) => !kept.includes(ref));
    await removeResults(engine.services, { runIds, resultRefs });
  }

  async rollback(id: string): ReturnType<RunsClient['rollback']> {
    return await this.#rollbackOf(await this.get(id));
  }

  async #rollbackOf({ id }: Run): ReturnType<RunsClient['rollback']> {
    return (await this.#options.store.rollbacks.ofRuns([id]))[0] ?? null;
  }

  async #alikeTo(run: Run): Promise<Alike | null> {
    return isTerminal(run.state.type) ? ((await alikeTo(this.#options.store, [run])).get(run.id) ?? null) : null;
  }

  /** The run with its sub-flow runs, at any depth. */
  async #familyOf(id: string): Promise<readonly string[]> {
    const below = await this.#options.store.runs.children(id);
    return [id, ...(await Promise.all(below.map((child) => this.#familyOf(child.id)))).flat()];
  }

  protected get source(): BulkSource {
    const { store, engine } = this.#options;
    return { list: store.runs.list, get: (id) => this.get(id), now: () => engine.services.clock.now() };
  }

  /** @throws BatutaError RUN_STATE_REFUSED, USAGE (no such task) */
  async #reopen(run: Run, from?: string): Promise<Run> {
    const { store, engine } = this.#options;
    const names = from === undefined ? undefined : namesFrom(await this.#shapeOf(run), from, await store.taskRuns.ofRun(run.id));
    const reopened = await store.runs.reopen(run.id, engine.services.clock.now(), names);
    if (reopened) return reopened;
    throw refused(run, `it is ${run.state.name}`, 'Only a run that failed, crashed or was cancelled can be retried; start a new one.');
  }

  /** What the store knows of the flow suffices; its file is loaded only if that is nothing. */
  async #shapeOf(run: Run): Promise<FlowShape> {
    const stored = await this.#options.store.flows.get(run.flow);
    const graph = stored === null ? null : storedGraph(stored.graph);
    if (stored === null || graph === null) return shapeOf(await this.#options.findDefinition(run));
    const tasks = graph.nodes.map(({ name }) => name);
    return { name: stored.name, kind: stored.kind, tasks, graph: { nodes: tasks, edges: graph.edges } };
  }

  async #continue(
    run: Run,
    definition: FlowDefinition,
    options: { readonly signal?: AbortSignal; readonly onEvent?: EngineListener },
  ): Promise<RunHandle> {
    const { engine, store, listen } = this.#options;
    const underWay = await engine.resume(run.id, definition, listen(run.id, options.onEvent));
    const forgetSignal = cancelOnAbort(options.signal, underWay);
    underWay.ended.then(forgetSignal, forgetSignal);
    const ended = underWay.ended.then(async (last) => {
      if (isTerminal(last.state.type)) await goOnAfter(last, this.#options);
      return last;
    });
    // As with the run itself: the waiter gets the error.
    ended.catch(() => undefined);
    return handleOf(store, underWay, this, ended);
  }
}

function shapeOf({ name, kind, tasks, graph }: FlowDefinition): FlowShape {
  return { name, kind, tasks: tasks.keys(), graph };
}

function refused(run: Run, why: string, mend: string): BatutaError {
  return new BatutaError('RUN_STATE_REFUSED', `Run ${run.id} cannot be changed this way: ${why}. ${mend}`, {
    details: { runId: run.id, state: run.state.name },
  });
}
