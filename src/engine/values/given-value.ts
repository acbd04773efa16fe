/**
 * Values on their way from the task that gave them to those that take them.
 *
 * Everyone takes a copy of their own, made of the text that is recorded. So what one does to it nobody else sees, the task that gave it
 * included, and it is the same whether it has just been given or was recorded long ago. What is kept in memory only (`persist: false`) is
 * handed on as it is. Of what all items of a mapped task are given there is one, frozen: a copy each would cost as much as there are items.
 */
import { freezeDeep } from '../../model/freeze.ts';
import { decodeParted } from '../../model/values.ts';

/** A value that has a recorded text. */
export class RecordedValue {
  readonly text: string;
  #fresh: { readonly value: unknown } | null;

  /** @param fresh the value, where the text was read just now and nobody has it yet */
  constructor(text: string, fresh: { readonly value: unknown } | null = null) {
    this.text = text;
    this.#fresh = fresh;
  }

  /** A copy that nobody else has. `isParted` tells whether no two of its places hold the same object. */
  take(): { readonly value: unknown; readonly isParted: boolean } {
    const fresh = this.#fresh;
    this.#fresh = null;
    return fresh ? { value: fresh.value, isParted: false } : decodeParted(this.text);
  }
}

/** The results of a mapped task. */
export class GivenList {
  readonly given: readonly unknown[];

  constructor(given: readonly unknown[]) {
    this.given = given;
  }
}

/** A value as it is held for its takers. @param text what is recorded of it; null where nothing is */
export function givenAs(value: unknown, text: string | null): unknown {
  return text === null || isPrimitive(value) ? value : new RecordedValue(text);
}

/** The value for one taker. */
export function take(given: unknown): unknown {
  if (given instanceof RecordedValue) return given.take().value;
  return given instanceof GivenList ? given.given.map(take) : given;
}

/** A given value for many takers: frozen, so that all may have the same, where it can be; else as it was, to be taken by each. */
export function shared(given: unknown): unknown {
  if (!(given instanceof RecordedValue || given instanceof GivenList)) return given;
  const value = take(given);
  return freezeDeep(value) ? value : given;
}

/** Whether a value can be neither changed nor shared. */
export function isPrimitive(value: unknown): boolean {
  return (typeof value !== 'object' && typeof value !== 'function') || value === null;
}
