/** Records what a run opens: one row per opening, rewritten as it progresses. */
import { cutText } from '../../base/cut-text.ts';
import { withoutHidden } from '../../base/hidden-values.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import type { UseNotes } from '../../resources/follow-use.ts';
import type { GuestKind } from '../isolate/guest.ts';
import type { GuestUses } from '../isolate/isolate.ts';
import type { EngineServices } from '../services.ts';
import type { RunRecord } from './transition.ts';

/** Maximum length of an error's text, characters. */
const maxErrorChars = 2_000;

type Record = Pick<RunRecord, 'noteResourceUse'>;

/** Records the openings in this thread. */
export function useNotes(
  { clock, makeId }: Pick<EngineServices, 'clock' | 'makeId'>,
  record: Record,
  whose: Pick<UseNotes, 'runId' | 'taskRunId'>,
): UseNotes {
  return { ...whose, now: () => clock.now(), makeId, note: (use) => noteUse(record, use) };
}

/** Writes an opening's state, without what is hidden. */
export function noteUse(record: Record, use: ResourceUse): void {
  const error = use.error === null ? null : cutText(withoutHidden(use.error), maxErrorChars, '…');
  record.noteResourceUse({ ...use, resource: withoutHidden(use.resource), error });
}

/** Records what a task opens in its thread or process, and leaves open because that is ended. */
export class RecordedGuestUses implements GuestUses {
  readonly #record: Record;
  readonly #clock: EngineServices['clock'];
  readonly #isolate: GuestKind;
  readonly #open = new Map<string, ResourceUse>();

  constructor({ clock }: Pick<EngineServices, 'clock'>, record: Record, isolate: GuestKind) {
    this.#isolate = isolate;
    this.#record = record;
    this.#clock = clock;
  }

  note(use: ResourceUse): void {
    if (use.closedAt === null) this.#open.set(use.id, use);
    else this.#open.delete(use.id);
    noteUse(this.#record, use);
  }

  end(): void {
    const closedAt = this.#clock.now();
    for (const use of this.#open.values())
      noteUse(this.#record, { ...use, closedAt, error: `Its ${this.#isolate} was ended, so nothing closed it.` });
    this.#open.clear();
  }
}
