/**
 * Writes a run's emissions to one event stream, page by page and no faster than its reader takes them, until the run has ended: then `end`,
 * and the stream closes. Each reader reads values from the store, so nothing waits for a slow one.
 */
import { type FollowedEmissions, followEmissions } from '../../client/emissions.ts';
import { toWire } from '../../client/wire.ts';
import type { ResultStorage } from '../../engine/results/storage.ts';
import type { StoredEmission } from '../../store/store.ts';
import { shownValue, unlessMissing } from '../values.ts';
import type { EventStream } from './event-stream.ts';
import { eventText, pieceBytes } from './event-text.ts';

/** How much of a page is written before the reader must have taken it, bytes. */
const aheadBytes = 4 * pieceBytes;

/** Storage of large values. */
export interface EmissionValues {
  readonly results: ResultStorage;
}

export class EmissionReader {
  readonly #stream: EventStream;
  #takenAtBeat = -1;

  constructor(stream: EventStream) {
    this.#stream = stream;
  }

  /** Resolves once the run has ended or the reader is gone. @throws BatutaError STORE_…, RUN_NOT_FOUND */
  async run(results: ResultStorage, followed: FollowedEmissions): Promise<void> {
    for await (const page of followEmissions(followed)) {
      for (const stored of page) {
        // In one piece: a reader with the value continues after it.
        this.#stream.write(eventText('value', await shownEmission(results, followed.runId, stored), String(stored.seq)));
        if (this.#stream.waitingBytes > aheadBytes) await this.#stream.taken();
        if (!this.#stream.isOpen) return;
      }
      await this.#stream.taken();
    }
    if (!followed.signal.aborted) this.#stream.end(eventText('end', {}));
  }

  /** A sign of life. A reader that has taken nothing since the last one although something waits is dropped. */
  beat(beatMs: number): void {
    const { takenBytes, waitingBytes } = this.#stream;
    if (waitingBytes > 0 && takenBytes === this.#takenAtBeat) return this.#stream.drop('slow');
    this.#takenAtBeat = takenBytes;
    // Waiting values are a sign of life, and a long backlog must not grow.
    if (waitingBytes === 0) this.#stream.write(`: alive\n${eventText('beat', { beatMs })}`);
  }
}

/** A value in wire form; one that is too large is a link, and one that is gone is null with `isMissing`. */
export async function shownEmission(results: ResultStorage, runId: string, { value, ref, ...emission }: StoredEmission): Promise<object> {
  const download = `/api/runs/${runId}/streams/${encodeURIComponent(emission.stream)}/${emission.seq}`;
  const shown = await shownValue(results, { result: value, resultRef: ref }, download).catch(unlessMissing);
  const isMissing = shown === null && (value !== null || ref !== null);
  return { ...toWire(emission), value: shown, ...(isMissing ? { isMissing } : {}) };
}
