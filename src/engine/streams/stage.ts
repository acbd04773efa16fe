/** One task of a segment: the streams into and out of its attempt. */
import type { BatutaError } from '../../base/errors.ts';
import { Positioned, recordOf } from '../../model/streams.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { encodeValue } from '../values/results.ts';
import type { TaskAttempt } from '../task/task-attempt.ts';
import type { Hop } from './hop.ts';
import { type Mark, SourcePositions } from './positions.ts';
import type { Replay } from './replay.ts';

/** How a stage ends its attempt. */
export type StageEnd =
  | { readonly kind: 'value' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopped'; readonly error: BatutaError };

/** An attempt of a stage, as seen by its group. */
export interface StageExecution {
  /** Records how many records it has taken and given. */
  reportCounts(): void;
  /** Resolves once the records that it has rejected so far are durable. */
  keepRejects(): Promise<void>;
  /** Writes rejected records if a whole piece of them waits. Not awaited. */
  queueFullRejects(): void;
  /** The error of the attempt if too many records were rejected; else null. */
  tooManyRejects(): BatutaError | null;
}

/** The group of a stage. */
export interface StageGroup {
  /** Resolves once all stages are there, with new streams between them, or with why they do not begin. */
  begin(): Promise<BatutaError | null>;
  /** A stage has ended its attempt. Resolves once all have, with how it ends as one of them. */
  agree(stage: Stage, end: StageEnd): Promise<StageEnd>;
  /** How long to wait before all begin again, ms; null if they do not. @param decide called for the lead, with the error of the attempt */
  decide(stage: Stage, decide: (error: unknown) => Promise<number | null>): Promise<number | null>;
  /** A stage goes no further: others still running must not wait for it. */
  leave(stage: Stage): void;
}

/** What the lead takes for all stages. */
export interface StagePlaces {
  readonly tags: readonly string[];
  readonly slots: number;
}

export class Stage {
  readonly definition: TaskDefinition;
  /** Whether it takes the places for all of its segment and decides on retries. */
  readonly isLead: boolean;
  /** Tags whose limits apply to what it leads; empty for other stages. */
  readonly tags: readonly string[];
  /** How many places the lead takes: as many as the stage that takes most. */
  readonly slots: number;
  readonly #segment: StageGroup;
  readonly #streams: ReadonlySet<string>;
  /** By the names of the tasks they come from. */
  readonly #inlets = new Map<string, Hop>();
  #only: Hop | null = null;
  #outlets: Hop[] = [];
  #positions: SourcePositions | null = null;
  #replay: Replay | null = null;
  #given: unknown = undefined;
  /** The error that broke its streams. */
  #failure: BatutaError | null = null;
  #settled: { readonly position: unknown } | null = null;
  /** Its running attempt; null between two. */
  execution: (TaskAttempt & StageExecution) | null = null;
  /** Records it has given in this attempt. */
  out = 0;
  /** The last confirmed position of its records; undefined if there is none. */
  resumeFrom: unknown = undefined;

  /** @param places of all stages, for the lead */
  constructor(segment: StageGroup, definition: TaskDefinition, places: StagePlaces | null, streams: ReadonlySet<string>) {
    this.#segment = segment;
    this.definition = definition;
    this.isLead = places !== null;
    this.tags = places?.tags ?? [];
    this.slots = places?.slots ?? 1;
    this.#streams = streams;
  }

  /** Whether it takes the records of that task as they come. */
  takesFrom(name: string): boolean {
    return this.#streams.has(name);
  }

  /** The records of that task. */
  records(name: string): Hop {
    return this.#inlets.get(name) as Hop;
  }

  /** Position of the record it last took or, as a source, gave; undefined if it has none. */
  get position(): unknown {
    return this.#only === null ? this.#given : this.#only.position;
  }

  /** Whether it streams itself. */
  get gives(): boolean {
    return this.#streams.has(this.definition.name);
  }

  /** Whether it takes a stream. */
  get takes(): boolean {
    return this.#inlets.size > 0;
  }

  /** Records it has taken in this attempt. */
  get in(): number {
    let sum = 0;
    for (const hop of this.#inlets.values()) sum += hop.read;
    return sum;
  }

  /** Before each attempt: drops the previous state. */
  reset(replay: Replay | null): void {
    this.#replay = replay;
    if (this.#settled) this.resumeFrom = this.#settled.position;
    this.#inlets.clear();
    this.#outlets = [];
    this.#positions = null;
    this.#settled = null;
    this.#failure = null;
    this.execution = null;
    this.out = 0;
  }

  connect(to: Stage, hop: Hop): void {
    this.#outlets.push(hop);
    to.#inlets.set(hop.from, hop);
    to.#only = to.#inlets.size === 1 ? hop : null;
  }

  /** The confirmed position of its records if not settled yet, else null. */
  get confirmed(): { readonly position: unknown } | null {
    const confirmed = this.#positions?.confirmed ?? null;
    return confirmed === this.#settled ? null : confirmed;
  }

  /** Rejects before a confirmed position are durable: the next attempt may continue from there. */
  settle(confirmed: { readonly position: unknown }): void {
    this.#settled = confirmed;
  }

  /** A mark has passed what it holds of one of its inlets. */
  pass(mark: Mark): void {
    mark.positions.passed(mark, this.#outlets);
  }

  /** Passes on what the task yields until it ends or no taker wants more. @throws what the task throws; what its streams were broken by */
  async handOn(items: AsyncIterable<unknown>): Promise<undefined> {
    if (this.#replay !== null) return this.#replayTo(this.#replay, items);
    const outlets = this.#outlets;
    const [first] = outlets as [Hop];
    const inlet = this.#only;
    for await (const item of items) {
      this.out++;
      const goesOn =
        item instanceof Positioned
          ? this.#pushPositioned(item)
          : outlets.length === 1
            ? first.push(item, inlet === null ? undefined : inlet.position)
            : pushToAll(outlets, item, inlet?.position);
      if (goesOn) continue;
      await this.#room();
      if (this.#failure !== null) throw this.#failure;
      if (outlets.every(isDetached)) break;
    }
    for (const hop of outlets) hop.end();
  }

  /** Passes on what the takers had rejected, and what the task makes of its own rejects; a source reads nothing. */
  async #replayTo(replay: Replay, items: AsyncIterable<unknown>): Promise<undefined> {
    if (this.takes) {
      for await (const item of items) {
        this.out++;
        pushToAll(this.#outlets, recordOf(item), this.#only?.position);
        await this.#room();
        if (this.#failure !== null) throw this.#failure;
      }
    }
    for (const hop of this.#outlets) {
      for (const { record, position } of replay.get(hop.to) ?? []) {
        this.out++;
        hop.push(record, position ?? undefined);
        await this.#room();
        if (this.#failure !== null) throw this.#failure;
        if (hop.isDetached) break;
      }
    }
    for (const hop of this.#outlets) hop.end();
  }

  async #room(): Promise<void> {
    for (const hop of this.#outlets) if (!hop.hasRoom) await hop.whenRoom();
  }

  #pushPositioned({ position, record }: Positioned<unknown>): boolean {
    const goesOn = pushToAll(this.#outlets, record, position);
    if (this.#positions === null) {
      // Refused at the first record, not when it is to be recorded.
      encodeValue(position, `position of ${this.definition.name}`);
      this.#positions = new SourcePositions(this.#outlets);
    }
    this.#given = position;
    this.#positions.note(position);
    return goesOn;
  }

  /** Its code has ended: it holds nothing any more. */
  succeeded(): void {
    for (const hop of this.#inlets.values()) hop.releaseAll();
    for (const hop of this.#outlets) hop.end();
  }

  /** Breaks its inlets and outlets; the first error counts. */
  fail(error: BatutaError): void {
    this.#failure ??= error;
    for (const hop of this.#inlets.values()) hop.fail(error);
    for (const hop of this.#outlets) hop.fail(error);
  }

  /** As in `StageGroup`. */
  begin(): Promise<BatutaError | null> {
    return this.#segment.begin();
  }
  agree(end: StageEnd): Promise<StageEnd> {
    return this.#segment.agree(this, end);
  }
  decide(decide: (error: unknown) => Promise<number | null>): Promise<number | null> {
    return this.#segment.decide(this, decide);
  }
  leave(): void {
    this.#segment.leave(this);
  }
}

/** Whether another record may follow at once. */
function pushToAll(outlets: readonly Hop[], record: unknown, position: unknown): boolean {
  let goesOn = true;
  for (const hop of outlets) if (!hop.push(record, position)) goesOn = false;
  return goesOn;
}

function isDetached(hop: Hop): boolean {
  return hop.isDetached;
}
