/** Runs over HTTP. */
import type { ResourceUse } from '../../model/resource-use.ts';
import { checkFilter } from '../../model/list-filters.ts';
import { type Submitted, withSubmitted } from '../../model/submitted.ts';
import { checkSignalName } from '../../model/signal.ts';
import type { DeadLetter, RejectCounts, RejectFilter } from '../../model/dead-letters.ts';
import type { RollbackSummary } from '../../model/rollback.ts';
import type { Alike } from '../../model/failure-sentence.ts';
import { decodeValue } from '../../model/values.ts';
import type { ListedRun, Run, TaskRun, Transition, Artifact } from '../../model/run.ts';
import type { Emission } from '../../model/emission.ts';
import type { EmissionStream, LogFilter, Page, RunFilter, StoredFlow, StoredLogLine } from '../../store/store.ts';
import { checkOptions } from '../call-options.ts';
import type { PinView, RunHandle, RunInspection, RunsClient, StreamOptions } from '../client.ts';
import { emittedOverHttp } from './emissions.ts';
import { linesOf } from './answer-body.ts';
import type { BulkReport, BulkWish, TaskRunFilter, WaitReason } from '../fleet-client.ts';
import { fromWire, type Wire, type CutValue, type WireValue } from '../wire.ts';
import type { Api } from './api.ts';
import { downloadOf, pageFromWire, pathTo, readItems, readPage, runQuery, textOfValue, valueToWire } from './wire-values.ts';
import { readLines } from '../read-lines.ts';
import { awaitEndOverHttp, watchOverHttp } from './watch-run.ts';

/** Answer of `GET /api/runs/:id`. */
interface RunDetails {
  readonly run: Wire<ListedRun>;
  /** Absent from older servers. */
  readonly submitted?: Wire<Submitted> | null;
  readonly params: WireValue | CutValue | null;
  readonly result: WireValue | CutValue | null;
  readonly children: readonly Wire<ListedRun>[];
  readonly why: Wire<WaitReason> | null;
  readonly alike: Wire<Alike> | null;
  readonly rollback: RollbackSummary | null;
  /** Absent from older servers. */
  readonly pin?: Wire<PinView> | null;
  readonly counts: readonly { readonly name: string; readonly state: string; readonly count: number }[];
  readonly flow: Wire<StoredFlow> | null;
}

interface LogAnswer {
  readonly items: readonly Wire<StoredLogLine>[];
  readonly next: number | null;
}

/** Default number of lines. */
const usualLines = 1_000;
/** Task runs per request when all are wanted. */
const pageRows = 1_000;
/** Timeout for a change of very many runs, ms. */
const bulkTimeoutMs = 600_000;
const noParams = '{"json":{}}';

export class HttpRuns implements RunsClient {
  readonly #api: Api;
  readonly #handleOf: (id: string) => RunHandle;
  #large: { readonly id: string; readonly text: string } | null = null;

  /** @param handleOf makes a handle by run id */
  constructor(api: Api, handleOf: (id: string) => RunHandle) {
    this.#api = api;
    this.#handleOf = handleOf;
  }

  async list(filter: RunFilter = {}): Promise<Page<ListedRun>> {
    return pageFromWire<ListedRun>(await this.#api.get('runs', runQuery(filter)), listedRunOf);
  }

  /** A large result stays on the server; `resultOf` fetches it by its `resultRef`. */
  async get(id: string): Promise<Run> {
    return await this.#runOf(await this.#details(id));
  }

  /** The value of a run that has ended. */
  async resultOf({ result, resultRef }: Pick<Run, 'result' | 'resultRef'>): Promise<unknown> {
    return decodeValue(resultRef === null ? result : JSON.stringify(await this.#api.get(resultRef)));
  }

  async inspect(id: string): Promise<RunInspection> {
    const details = await this.#details(id);
    const list = <T>(what: string): Promise<readonly T[]> =>
      allOf((cursor) => readPage<T>(this.#api, ['runs', details.run.id, what], { cursor }));
    // A run always has parameters; only an observer gets none.
    const isHidden = details.params === null;
    const [run, taskRuns, transitions, artifacts, resources] = await Promise.all([
      this.#runOf(details),
      this.allTaskRuns(details.run.id),
      list<Transition>('transitions'),
      isHidden ? [] : list<Artifact>('artifacts'),
      list<ResourceUse>('resources'),
    ]);
    return {
      run,
      taskRuns,
      transitions,
      artifacts,
      resources,
      children: details.children.map(listedRunOf),
      params: decodeValue(run.params),
      result: await this.resultOf(run),
      alike: details.alike === null ? null : fromWire<Alike>(details.alike),
      rollback: details.rollback,
      pin: details.pin ? fromWire<PinView>(details.pin) : null,
      ...(isHidden ? { isHidden } : {}),
    };
  }

  async logs(id: string, filter: LogFilter = {}): Promise<readonly StoredLogLine[]> {
    checkFilter('log lines', filter);
    const { taskRunId, minLevel, ...rest } = filter;
    const most = Math.min(rest.limit ?? usualLines, rest.tail ?? Number.POSITIVE_INFINITY);
    return await readLines(rest, most, async (stretch) => {
      const query = { task: taskRunId, level: minLevel, ...stretch };
      const { items, next } = await this.#api.get<LogAnswer>(`${pathOf(id)}/logs`, query);
      return { lines: items.map((line) => fromWire<StoredLogLine>(line)), hasMore: next !== null };
    });
  }

  watch(id: string, signal?: AbortSignal): ReturnType<RunsClient['watch']> {
    return watchOverHttp(this.#api, this, id, signal);
  }

  /** The run once it has ended. @throws BatutaError RUN_NOT_FOUND */
  awaitEnd(id: string): Promise<Run> {
    return awaitEndOverHttp(this.#api, this, id);
  }

  async cancel(id: string, message?: string): Promise<Run> {
    await this.#api.post(`${pathOf(id)}/cancel`, message === undefined ? {} : { message });
    return this.get(id);
  }

  /** Opens a new attempt and hands it to workers. */
  async requeue(id: string, options: { readonly from?: string } = {}): Promise<Run> {
    checkOptions('requeue', options);
    await this.#api.post(`${pathOf(id)}/retry`, options);
    return this.get(id);
  }

  async signal(id: string, name: string, data?: unknown): Promise<number> {
    checkSignalName(name);
    const body = { name, data: valueToWire(data, `data of signal ${name}`) };
    return (await this.#api.post<{ readonly number: number }>(`${pathOf(id)}/signal`, body)).number;
  }

  async delete(id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    checkOptions('delete', options);
    await this.#api.request('DELETE', pathOf(id), { query: { force: options.force === true ? true : undefined } });
  }

  /** Why it is not running; null if it is or has ended. */
  async why(id: string): Promise<WaitReason | null> {
    const { why } = await this.#facts(id);
    return why === null ? null : fromWire<WaitReason>(why);
  }

  async rollback(id: string): ReturnType<RunsClient['rollback']> {
    return (await this.#facts(id)).rollback;
  }

  async pin(id: string): Promise<PinView | null> {
    const { pin } = await this.#facts(id);
    return pin ? fromWire<PinView>(pin) : null;
  }

  async unpin(id: string): Promise<Run> {
    await this.#api.post(`${pathOf(id)}/unpin`, {});
    return this.get(id);
  }

  unpinMany(wish: BulkWish): Promise<BulkReport> {
    return this.#bulk('unpin', wish);
  }

  async alike(id: string): ReturnType<RunsClient['alike']> {
    const { alike } = await this.#facts(id);
    return alike === null ? null : fromWire<Alike>(alike);
  }

  cancelMany(wish: BulkWish & { readonly message?: string }): Promise<BulkReport> {
    return this.#bulk('cancel', wish);
  }

  requeueMany(wish: BulkWish): Promise<BulkReport> {
    return this.#bulk('retry', wish);
  }

  deleteMany(wish: BulkWish): Promise<BulkReport> {
    return this.#bulk('delete', wish);
  }

  async *rejects(id: string, filter: RejectFilter = {}): AsyncGenerator<DeadLetter> {
    const path = `${pathOf(id)}/rejects/download`;
    const pieces = await this.#api.openStream(path, { ...filter }, { accept: 'application/x-ndjson' });
    for await (const line of linesOf(pieces)) yield JSON.parse(line) as DeadLetter;
  }

  streams(id: string): Promise<readonly EmissionStream[]> {
    return readItems(this.#api, ['runs', id, 'streams']);
  }

  emitted(id: string, stream: string, options: StreamOptions = {}): AsyncGenerator<Emission> {
    return emittedOverHttp(this.#api, pathOf(id), stream, options);
  }

  rejectCounts(id: string, filter: RejectFilter = {}): Promise<RejectCounts> {
    return this.#api.get<RejectCounts>(`${pathOf(id)}/rejects/counts`, { ...filter });
  }

  async retryRejects(id: string): Promise<RunHandle> {
    return this.#handleOf((await this.#api.post<{ readonly id: string }>(`${pathOf(id)}/rejects/retry`)).id);
  }

  async taskRuns(id: string, filter: TaskRunFilter = {}): Promise<Page<TaskRun>> {
    checkFilter('task runs', filter);
    const { name, states, limit, cursor } = filter;
    return pageFromWire<TaskRun>(await this.#api.get(`${pathOf(id)}/tasks`, { name, state: states, limit, cursor }), taskRunOf);
  }

  /** Counts by name and state name. */
  async taskCounts(id: string): Promise<RunDetails['counts']> {
    return (await this.#facts(id)).counts;
  }

  /** All of them, page by page, in the order they were first recorded. Their values stay on the server. */
  allTaskRuns(id: string): Promise<readonly TaskRun[]> {
    return allOf((cursor) => this.taskRuns(id, { limit: pageRows, ...(cursor === undefined ? {} : { cursor }) }));
  }

  #details(id: string): Promise<RunDetails> {
    return this.#api.get<RunDetails>(pathOf(id));
  }

  /** Without its values and its flow, which may be large. */
  #facts(id: string): Promise<Omit<RunDetails, 'params' | 'result' | 'flow'>> {
    return this.#api.get<RunDetails>(pathOf(id), { values: false });
  }

  async #bulk(what: string, { filter, ...wish }: BulkWish): Promise<BulkReport> {
    checkOptions('bulk', wish);
    const { limit: _limit, cursor: _cursor, ...fields } = filter ?? {};
    const body = { ...wish, ...(filter === undefined ? {} : { filter: runQuery(fields) }) };
    return await this.#api.request<BulkReport>('POST', `runs/${what}`, { body, timeoutMs: bulkTimeoutMs });
  }

  async #runOf({ run, submitted, params, result }: RunDetails): Promise<Run> {
    const listed = listedRunOf(run);
    const resultRef = downloadOf(result);
    return {
      ...listed,
      params: withSubmitted(await this.#paramsOf(listed.id, params), fromWire<Submitted>(submitted ?? {})),
      result: resultRef === null ? await textOfValue(this.#api, result) : null,
      resultRef,
    };
  }

  /** Parameters never change; large ones of a watched run are fetched once. */
  async #paramsOf(id: string, params: RunDetails['params']): Promise<string> {
    if (downloadOf(params) === null) return (await textOfValue(this.#api, params)) ?? noParams;
    if (this.#large?.id !== id) this.#large = { id, text: (await textOfValue(this.#api, params)) ?? noParams };
    return this.#large.text;
  }
}

/** All items of a list, page by page. */
async function allOf<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await read(cursor);
    for (const item of items) all.push(item);
    if (next === null) return all;
    cursor = next;
  }
}

function pathOf(id: string): string {
  return pathTo(['runs', id]);
}

/** Without what a server adds in its answers. */
function listedRunOf(
  run: Wire<ListedRun> & Partial<Record<'durationMs' | 'waitingMs' | 'wallMs' | 'tasks' | 'alike' | 'pinnedTo', unknown>>,
): ListedRun {
  const { durationMs: _durationMs, waitingMs: _waitingMs, wallMs: _wallMs, tasks: _tasks, alike: _alike, pinnedTo: _pin, ...listed } = run;
  return fromWire<ListedRun>(listed);
}

function taskRunOf(row: Wire<TaskRun>): TaskRun {
  return { ...fromWire<TaskRun>(row), result: null, resultRef: null, itemHash: null };
}
