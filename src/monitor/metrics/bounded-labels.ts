/** Bounds the number of series: values of a label beyond a cap, and sets of labels beyond a larger cap, count as `other`. */
import { cutText } from '../../base/cut-text.ts';

/** Replaces values beyond the cap. */
export const otherValue = 'other';
/** Sets of labels of one metric, in multiples of the cap. */
const setsPerValue = 5;
const maxValueChars = 200;
const noValues: readonly string[] = [];

/** By the value of a label: those of the next one, or the bounded set. */
interface Known extends Map<string, Known | readonly string[]> {}

export class BoundedLabels {
  readonly #maxValues: number;
  /** By position of the label. */
  readonly #values: Set<string>[] = [];
  /** Bounded sets by the requested values, one label after the other: a text of all of them would have to be made, and hashed, each time. */
  readonly #known: Known = new Map();
  /** How many of them are known; at most as many as series. */
  #count = 0;
  /** Each bounded set once, by its own values: equal ones share one. */
  readonly #sets = new Map<string, readonly string[]>();

  /** @param maxValues most values of one label, from 1 */
  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  /** The values as exposed. Equal ones get the same array. */
  bound(given: readonly string[]): readonly string[] {
    if (given.length === 0) return noValues;
    let known: Known | readonly string[] | undefined = this.#known;
    for (let at = 0; at < given.length && known !== undefined; at++) known = (known as Known).get(given[at] as string);
    if (known !== undefined && !(known instanceof Map)) return known;
    if (this.#count >= this.#maxValues * setsPerValue) return this.#once(given.map(() => otherValue));
    const bounded = this.#once(given.map((value, at) => this.#boundOne(at, value)));
    this.#know(given, bounded);
    return bounded;
  }

  #know(given: readonly string[], bounded: readonly string[]): void {
    let known = this.#known;
    for (const value of given.slice(0, -1)) {
      const next = known.get(value) ?? new Map();
      known.set(value, next);
      known = next as Known;
    }
    known.set(given.at(-1) ?? '', bounded);
    this.#count++;
  }

  #once(values: readonly string[]): readonly string[] {
    const key = values.join('\u0000');
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    this.#sets.set(key, values);
    return values;
  }

  #boundOne(at: number, value: string): string {
    const values = (this.#values[at] ??= new Set());
    const cut = cutText(value, maxValueChars);
    if (values.has(cut)) return cut;
    if (values.size >= this.#maxValues) return otherValue;
    values.add(cut);
    return cut;
  }
}
