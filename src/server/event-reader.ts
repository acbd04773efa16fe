/** What one reader of live events wants, has had, and where it goes on. */
import type { RunEvent } from '../store/store.ts';
import { type EventPlace, idOfPlace } from './event-place.ts';
import type { EventStream } from './event-stream.ts';
import { bytesOf, eventText } from './event-text.ts';
import type { Told } from './feed.ts';

/** Of what an event tells: a change of a run, a change of a task run, a log line. */
export type EventKind = 'run' | 'task' | 'log';

export interface EventQuery {
  /** Id of the run whose tasks and log lines are told of as well; of other runs nothing is. */
  readonly run?: string | undefined;
  readonly flow?: string | undefined;
  readonly deployment?: string | undefined;
}

interface Numbered {
  readonly seq: number;
}

interface Heard {
  readonly kind: EventKind;
  readonly told: readonly Told<Numbered>[];
  readonly settled: number;
}

/** Gathers what it hears until it is live, then writes it at once. */
export class EventReader {
  readonly #query: EventQuery;
  readonly #stream: EventStream;
  readonly #replayed = new Set<string>();
  #heard: Heard[] | null = [];
  #place: EventPlace = { run: 0, task: 0, log: 0 };

  constructor(query: EventQuery, stream: EventStream) {
    this.#query = query;
    this.#stream = stream;
  }

  wants({ id, flow, deployment }: RunEvent): boolean {
    const { run = id, flow: wantedFlow = flow, deployment: wantedDeployment = deployment } = this.#query;
    return run === id && wantedFlow === flow && wantedDeployment === deployment;
  }

  /** Takes what a feed tells. `settled`: up to there this reader has been told everything of this kind. */
  hear(kind: EventKind, told: readonly Told<Numbered>[], settled: number): void {
    if (this.#heard !== null) this.#heard.push({ kind, told, settled });
    else this.#write({ kind, told, settled });
  }

  /** Writes what was missed before it listened. */
  replay(kind: EventKind, seq: number, text: string): void {
    this.#replayed.add(`${kind}${seq}`);
    this.#stream.write(text);
  }

  /** Writes what was heard meanwhile, and from now on all at once. `place` is where it began to listen. */
  goLive(place: EventPlace): void {
    this.#place = place;
    const heard = this.#heard ?? [];
    this.#heard = null;
    this.#stream.write('', this.#id);
    for (const { kind, told, settled } of heard)
      this.#write({ kind, settled, told: keep(told, ({ row }) => !this.#replayed.has(`${kind}${row.seq}`)) });
    this.#replayed.clear();
  }

  /** A sign of life, with the place for when the stream is cut. A page of a browser is told of events alone, never of comments. */
  beat(beatMs: number): void {
    if (this.#heard === null) this.#stream.write(`: alive\n${eventText('beat', { beatMs })}`, this.#id);
  }

  #write({ kind, told, settled }: Heard): void {
    this.#place = { ...this.#place, [kind]: settled };
    if (told.length > 0) this.#stream.write(bytesOf(told), this.#id);
  }

  get #id(): string {
    return idOfPlace(this.#place, this.#query.run !== undefined);
  }
}

/** What fits of a list; the list itself when all of it does, so that it stays the one that others share. */
export function keep<T>(list: readonly T[], fits: (one: T) => boolean): readonly T[] {
  return list.every(fits) ? list : list.filter(fits);
}
