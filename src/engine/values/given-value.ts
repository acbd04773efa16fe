/**
 * Values on their way from the task that returned them to those that take them.
 *
 * Each taker gets its own copy, made from the recorded text. So its changes are invisible to all others, including the task that returned
 * the value, and it is the same whether it was just returned or recorded long ago. What is kept in memory only (`persist: false`) is passed
 * on as it is. Values given to all items of a mapped task exist once, frozen: copies would cost as much as there are items.
 */
import { freezeDeep } from '../../model/freeze.ts';
import { decodeParted } from '../../model/values.ts';

/** A value that has a recorded text. */
export class RecordedValue {
  readonly text: string;
  #fresh: { readonly value: unknown } | null;

  /** @param fresh the value, if the text was just read and the value is unused */
  constructor(text: string, fresh: { readonly value: unknown } | null = null) {
    this.text = text;
    this.#fresh = fresh;
  }

  /** A fresh copy. `isParted` tells whether no two of its places hold the same object. */
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

/** A value as held for its takers. @param text as recorded; null if nothing is */
export function givenAs(value: unknown, text: string | null): unknown {
  return text === null || isPrimitive(value) ? value : new RecordedValue(text);
}

/** The value for one taker. */
export function take(given: unknown): unknown {
  if (given instanceof RecordedValue) return given.take().value;
  return given instanceof GivenList ? given.given.map(take) : given;
}

/** A given value for many takers: frozen, so that all may share it, if possible; else as it was, to be taken by each. */
export function shared(given: unknown): unknown {
  if (!(given instanceof RecordedValue || given instanceof GivenList)) return given;
  const value = take(given);
  return freezeDeep(value) ? value : given;
}

/** Whether a value is immutable and has no identity. */
export function isPrimitive(value: unknown): boolean {
  return (typeof value !== 'object' && typeof value !== 'function') || value === null;
}
