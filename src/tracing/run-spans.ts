/**
 * Makes spans from what the bus of a process reports, once recorded: of runs, task runs, their attempts, tickets and resources.
 *
 * A span is made when its subject has ended, by the process that records the end. Its id derives from its subject (`model/trace.ts`), so
 * that a run that is suspended and continued elsewhere, or recovered after a crash, stays one trace, and spans of other processes have the
 * right parent without communication. After a crash the spans of unfinished work are not lost: the next owner makes them, including those
 * of interrupted attempts.
 */
import type { Clock } from '../base/clock.ts';
import { hidesValues } from '../base/hidden-values.ts';
import { madeAtOf } from '../base/id.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { consumerSpan, internalSpan, type SpanNotes, type SpanRecord } from '../model/span.ts';
import { submittedIn } from '../model/submitted.ts';
import { attemptSpanIdOf, readTraceparent, spanIdOf, traceIdOf } from '../model/trace.ts';
import type { Lifecycle, LifecycleEvent, StepHolder } from '../observe/lifecycle.ts';
import type { Occurrence } from '../observe/occurrence.ts';
import { spansOfRow } from './row-spans.ts';
import type { RunTrace, SpanRow, SpanSink, TaskRowKind } from './span-sink.ts';

/** Whether the spans of a trace are exported. @param parent its submitter's decision; null if unknown */
export type Sampling = (traceId: string, parent: { readonly spanId: string; readonly isSampled: boolean } | null) => boolean;

/** Notes of code on spans that are yet to be made. */
export interface SpanNotesKept {
  /** Whether there is any note on any span: checked first, as span ids cost more. */
  areThere(): boolean;
  /** Removes and returns the notes on a span; null if there are none. */
  take(spanId: string): SpanNotes | null;
}

export interface RunSpansOptions {
  readonly sink: SpanSink;
  readonly sampling: Sampling;
  readonly clock: Clock;
  readonly makeSpanId: () => string;
  readonly notes: SpanNotesKept;
  /** Owner that executes here, for people. */
  readonly owner: string;
}

/** An attempt that is not the first, or continues a task of another process. */
interface LaterAttempt {
  readonly attempt: number;
  readonly startedAt: number;
  /** Its process was lost. */
  readonly isLost: boolean;
  /** The process of the previous one was lost. */
  readonly isRecovery: boolean;
}

interface HeldRun {
  readonly trace: RunTrace;
  /** By id of the task run; null while there is none, as in most runs. */
  later: Map<string, LaterAttempt> | null;
}

/** A run submitted here, as recorded. */
interface SubmittedRun {
  readonly traceparent: string;
  readonly trace: RunTrace;
}

/** Most submitted runs remembered, the newest: it pays only for runs that begin here soon after. */
const mostSubmitted = 1_000;

/** Fields unused in a row of a submit. */
const noFields = [null, null, null, null, null, null, null, null, null] as const;

export class RunSpans {
  readonly #options: RunSpansOptions;
  readonly #submitted = new Map<string, SubmittedRun>();

  constructor(options: RunSpansOptions) {
    this.#options = options;
  }

  /** Makes spans from now on. Returns a function that stops it. */
  listen(lifecycle: Lifecycle): () => void {
    const ends = [
      lifecycle.listen((event) => this.#note(event)),
      lifecycle.listenRecorded((events) => this.#take(events)),
      lifecycle.observe((occurrence) => this.#takeOccurrence(occurrence)),
    ];
    return () => ends.forEach((end) => end());
  }

  /** See `RunTracer`. */
  submit({ id, flow }: { readonly id: string; readonly flow: string }, traceparent: string | undefined): string {
    const { sampling, clock, makeSpanId, owner } = this.#options;
    const parent = readTraceparent(traceparent);
    const traceId = traceIdOf(id, traceparent ?? null);
    const parentSpanId = makeSpanId();
    const isSampled = sampling(traceId, parent);
    const trace: RunTrace = { runId: id, flow, traceId, parentSpanId, owner, isSampled };
    if (isSampled) this.#add(trace, ['submit', parent?.spanId ?? null, clock.now(), ...noFields], null);
    const written = `00-${traceId}-${parentSpanId}-${isSampled ? '01' : '00'}`;
    if (this.#submitted.size >= mostSubmitted) for (const oldest of this.#submitted.keys()) if (this.#submitted.delete(oldest)) break;
    this.#submitted.set(id, { traceparent: written, trace });
    return written;
  }

  /** The trace of a run recorded with these parameters. */
  traceOf({ id, flow, params }: Pick<Run, 'id' | 'flow' | 'params'>): RunTrace {
    const known = this.#submitted.get(id);
    // A repeated submit under the same id is recorded like the first.
    if (known !== undefined && params.includes(known.traceparent)) return known.trace;
    const { traceparent = null } = submittedIn(params);
    const parent = readTraceparent(traceparent);
    const traceId = traceIdOf(id, traceparent);
    const { sampling, owner } = this.#options;
    return { runId: id, flow, traceId, parentSpanId: parent?.spanId ?? null, owner, isSampled: sampling(traceId, parent) };
  }

  #heldBy(holder: StepHolder): HeldRun {
    const known = holder.traced as HeldRun | null;
    if (known !== null) return known;
    const held: HeldRun = { trace: this.traceOf(holder.run), later: null };
    holder.traced = held;
    // From now on its holder keeps it.
    this.#submitted.delete(holder.run.id);
    return held;
  }

  /** Records when later attempts begin, and whether their predecessor was lost, which is not in their rows. */
  #note({ step, taskRunId, attempt, at, holder }: LifecycleEvent): void {
    if (taskRunId === null || attempt === 0) return;
    if (step === 'recovered') this.#laterOf(holder).set(taskRunId, { attempt, startedAt: at, isLost: true, isRecovery: false });
    else if (step === 'started' && attempt > 1) {
      const later = this.#laterOf(holder);
      later.set(taskRunId, { attempt, startedAt: at, isLost: false, isRecovery: later.get(taskRunId)?.isLost === true });
    }
  }

  #laterOf(holder: StepHolder): Map<string, LaterAttempt> {
    return (this.#heldBy(holder).later ??= new Map());
  }

  #take(events: readonly LifecycleEvent[]): void {
    let holder: StepHolder | null = null;
    let held: HeldRun | null = null;
    for (const event of events) {
      if (held === null || event.holder !== holder) {
        holder = event.holder;
        held = this.#heldBy(holder);
      }
      if (!held.trace.isSampled) continue;
      if (event.taskRun !== null) this.#takeTask(held, event, event.taskRun);
      else if (event.step === 'ended') this.#takeEnd(held.trace, event.holder.run, event.at);
    }
  }

  #takeTask({ trace, later }: HeldRun, { step, at }: LifecycleEvent, row: TaskRun): void {
    const { id, name, index, attempt, startedAt, state } = row;
    if (step === 'recovered' && attempt === 0) return;
    const noted = later?.get(id);
    const last = noted?.attempt === attempt ? noted : undefined;
    const kind: TaskRowKind =
      step === 'recovered'
        ? 'lost'
        : step === 'retried'
          ? 'attempt'
          : attempt === 0 || row.childRunId !== null || row.cachedFrom
            ? 'unrun'
            : 'task';
    const attemptStartedAt = kind === 'lost' ? (attempt === 1 ? startedAt : at) : (last?.startedAt ?? (attempt === 1 ? startedAt : null));
    const { notes } = this.#options;
    const said = kind === 'unrun' || !notes.areThere() ? null : notes.take(attemptSpanIdOf(id, attempt));
    const isRecovery = last?.isRecovery ?? false;
    const { type, name: stateName, message } = state;
    this.#add(trace, [kind, id, name, index, attempt, isRecovery, startedAt, attemptStartedAt, at, type, stateName, message ?? null], said);
    if (step === 'ended' && noted !== undefined) later?.delete(id);
  }

  #takeOccurrence(occurrence: Occurrence): void {
    if (occurrence.kind === 'claimed') this.#takeClaim(occurrence.run, occurrence.taskRun);
    else if (occurrence.kind === 'resource') this.#takeResource(occurrence.run, occurrence.use, occurrence.attempt);
    else if (occurrence.kind === 'ended' && occurrence.run) {
      const { run } = occurrence;
      const trace = this.traceOf(run);
      if (trace.isSampled) this.#takeEnd(trace, run, run.endedAt ?? this.#options.clock.now());
    }
  }

  #takeEnd(trace: RunTrace, run: Run, endMs: number): void {
    const { notes } = this.#options;
    const { id, name, attempt, recoveries, startedAt, createdAt, state, deployment, parentRunId, tags } = run;
    const { type, name: stateName, message } = state;
    const begun = startedAt ?? createdAt;
    const said = notes.areThere() ? notes.take(spanIdOf(id)) : null;
    this.#add(
      trace,
      ['run', name, attempt, recoveries, begun, endMs, type, stateName, message, deployment, parentRunId, tags.length === 0 ? null : tags],
      said,
    );
  }

  /** Adds it as a row, or as spans if it has notes or may contain something to hide. */
  #add(trace: RunTrace, row: SpanRow, said: SpanNotes | null): void {
    const { sink } = this.#options;
    if (said === null && !hidesValues()) sink.addRow(trace, row);
    else for (const span of spansOfRow(trace, row)) sink.addSpan(withNotes(span, said));
  }

  /** Adds the span of the time a run, or a spread task run, waited to be claimed. */
  #takeClaim(run: Run, taskRun: TaskRun | null): void {
    const trace = this.traceOf(run);
    if (!trace.isSampled) return;
    const { sink, clock, makeSpanId, owner } = this.#options;
    const { traceId, parentSpanId } = trace;
    const now = clock.now();
    const isFirst = run.startedAt === null;
    const due =
      taskRun === null
        ? (run.dueAt ?? (isFirst ? run.createdAt : run.resumedAt))
        : (taskRun.dueAt ?? (taskRun.startedAt === null ? madeAtOf(taskRun.id) : null));
    const isRecovery = taskRun === null && run.state.name === 'Resuming';
    const runSpanId = spanIdOf(run.id);
    sink.addSpan({
      name: `ticket ${taskRun === null ? run.flow : taskRun.name}`,
      ...{ kind: consumerSpan, traceId, spanId: makeSpanId() },
      // The first claim belongs to the submit; a later one to the continued run.
      parentSpanId: taskRun !== null ? spanIdOf(taskRun.id) : isFirst ? (parentSpanId ?? runSpanId) : runSpanId,
      ...{ startMs: Math.min(now, due ?? now), endMs: now, hasFailed: false, message: null },
      links: isRecovery ? [{ traceId, spanId: runSpanId, attributes: { 'batuta.link': 'recovery' } }] : [],
      attributes: {
        ...{ 'batuta.flow': run.flow, 'batuta.run.id': run.id, 'batuta.worker': owner, 'batuta.run.recoveries': run.recoveries },
        ...(taskRun === null ? { 'batuta.queue': run.queue, 'batuta.run.epoch': run.epoch } : { 'batuta.task_run.id': taskRun.id }),
      },
    });
  }

  #takeResource(run: Run, use: ResourceUse, attempt: number | null): void {
    const trace = this.traceOf(run);
    const { taskRunId, beganAt, openedAt, closingAt, closedAt, error, id, resource, scope } = use;
    if (!trace.isSampled || closedAt === null) return;
    this.#options.sink.addSpan({
      ...{ name: `resource ${resource.replace(/^'([^']*)'/, '$1')}`, kind: internalSpan, traceId: trace.traceId, spanId: spanIdOf(id) },
      parentSpanId: taskRunId === null ? spanIdOf(run.id) : attemptSpanIdOf(taskRunId, attempt ?? 1),
      ...{ startMs: beganAt, endMs: closedAt, hasFailed: error !== null, message: error, links: [] },
      attributes: { 'batuta.flow': run.flow, 'batuta.run.id': run.id, 'batuta.resource': resource, 'batuta.resource.scope': scope },
      events: [
        ...(openedAt === null ? [] : [{ name: 'open', atMs: openedAt }]),
        ...(closingAt === null ? [] : [{ name: 'closing', atMs: closingAt }]),
      ],
    });
  }
}

function withNotes(span: SpanRecord, notes: SpanNotes | null): SpanRecord {
  if (notes === null || notes.spanId !== span.spanId) return span;
  const { attributes, events, failure } = notes;
  return {
    ...span,
    ...{ attributes: { ...attributes, ...span.attributes }, events: [...(span.events ?? []), ...events] },
    ...(failure === null ? {} : { hasFailed: true, message: span.message ?? failure }),
  };
}
