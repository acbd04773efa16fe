/** Maps records, one by one or several at a time, and filters them. */
import type { HeldReader } from '../../model/streams.ts';
import { checkCount } from './options.ts';
import { type Made, madeFrom, type Records } from './reading.ts';
import { ReadCounter } from './read-counts.ts';

export interface MapOptions {
  /** Concurrent calls. Default 1. */
  readonly concurrency?: number | undefined;
  /** Whether results keep the order of the records. Default true; false yields each when ready. */
  readonly ordered?: boolean | undefined;
}

/**
 * The result of `make` for each record. Once a call fails no more begin, running ones are awaited, and the error is thrown.
 *
 * @throws BatutaError OPTION_INVALID
 */
export function map<Row, Out>(
  records: Records<Row>,
  make: (record: Row) => Out | Promise<Out>,
  { concurrency = 1, ordered = true }: MapOptions = {},
): AsyncIterable<Out> {
  checkCount('map', 'concurrency', concurrency);
  if (concurrency === 1)
    return madeFrom([records], async function* (reader): AsyncGenerator<Made<Out>, void, void> {
      for (let next = await reader.next(); !next.done; next = await reader.next())
        yield { record: await make(next.value), reader, until: reader.read };
    });
  return madeFrom([records], (reader) => new ManyCalls(reader, make, concurrency, ordered).results());
}

/** The records for which `isWanted` is true. Others count as the metric `skipped` of the task. */
export function filter<Row, Wanted extends Row>(records: Records<Row>, isWanted: (record: Row) => record is Wanted): AsyncIterable<Wanted>;
export function filter<Row>(records: Records<Row>, isWanted: (record: Row) => boolean | Promise<boolean>): AsyncIterable<Row>;
export function filter<Row>(records: Records<Row>, isWanted: (record: Row) => boolean | Promise<boolean>): AsyncIterable<Row> {
  return madeFrom([records], async function* (reader): AsyncGenerator<Made<Row>, void, void> {
    const skipped = new ReadCounter('skipped');
    try {
      for (let next = await reader.next(); !next.done; next = await reader.next()) {
        if (await isWanted(next.value)) yield { record: next.value, reader, until: reader.read };
        else skipped.add();
      }
    } finally {
      skipped.handOn();
    }
  });
}

/** A call running, or not yet yielded. */
interface Call<Out> {
  readonly at: number;
  readonly ended: Promise<Call<Out>>;
  outcome: { readonly value: Out } | { readonly error: unknown } | null;
}

class ManyCalls<Row, Out> {
  readonly #reader: HeldReader<Row>;
  readonly #make: (record: Row) => Out | Promise<Out>;
  readonly #most: number;
  readonly #ordered: boolean;
  /** In the order of their records. */
  readonly #calls: Call<Out>[] = [];
  #isEnded = false;

  constructor(reader: HeldReader<Row>, make: (record: Row) => Out | Promise<Out>, most: number, ordered: boolean) {
    this.#reader = reader;
    this.#make = make;
    this.#most = most;
    this.#ordered = ordered;
  }

  async *results(): AsyncGenerator<Made<Out>, void, void> {
    const calls = this.#calls;
    let asked: Promise<IteratorResult<Row, undefined>> | null = null;
    try {
      for (;;) {
        if (!this.#isEnded && calls.length < this.#most) asked ??= this.#reader.next();
        if (asked === null && calls.length === 0) return;
        const waited: Promise<unknown>[] = this.#ordered ? calls.slice(0, 1).map((call) => call.ended) : calls.map((call) => call.ended);
        const first = await Promise.race(asked === null ? waited : [asked.then(() => 'record' as const), ...waited]);
        if (first === 'record' && asked !== null) {
          const result = await asked;
          asked = null;
          if (result.done) this.#isEnded = true;
          else this.#begin(result.value);
          continue;
        }
        const at = this.#ordered ? 0 : calls.findIndex((call) => call.outcome !== null);
        const { outcome } = calls[at] as Call<Out>;
        calls.splice(at, 1);
        if (outcome === null) continue;
        if ('error' in outcome) throw outcome.error;
        // Everything before the first call still running is done.
        yield { record: outcome.value, reader: this.#reader, until: (calls[0]?.at ?? this.#begun) - (calls.length > 0 ? 1 : 0) };
      }
    } finally {
      await Promise.all(calls.map((call) => call.ended));
    }
  }

  #begun = 0;

  #begin(record: Row): void {
    const at = ++this.#begun;
    const settle = async (): Promise<Call<Out>> => {
      try {
        call.outcome = { value: await this.#make(record) };
      } catch (error) {
        call.outcome = { error };
      }
      return call;
    };
    const call = { at, outcome: null, ended: null } as unknown as { -readonly [K in keyof Call<Out>]: Call<Out>[K] };
    call.ended = settle();
    this.#calls.push(call);
  }
}
