/** Bounds the number of series: values of a label beyond a cap, and sets of labels beyond a larger cap, count as `other`. */
import { cutText } from '../../base/cut-text.ts';

/** Replaces values beyond the cap. */
export const otherValue = 'other';
/** Sets of labels of one metric, in multiples of the cap. */
const setsPerValue = 5;
const maxValueChars = 200;

export class BoundedLabels {
  readonly #maxValues: number;
  /** By position of the label. */
  readonly #values: Set<string>[] = [];
  /** Bounded sets by the requested values; at most as many as series. */
  readonly #known = new Map<string, readonly string[]>();
  /** Each bounded set once, by its own values: equal ones share one. */
  readonly #sets = new Map<string, readonly string[]>();

  /** @param maxValues most values of one label, from 1 */
  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  /** The values as exposed. Equal ones get the same array. */
  bound(given: readonly string[]): readonly string[] {
    const key = given.length === 1 ? (given[0] ?? '') : given.join('\u0000');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#maxValues * setsPerValue) return this.#once(given.map(() => otherValue));
    const bounded = this.#once(given.map((value, at) => this.#boundOne(at, value)));
    this.#known.set(key, bounded);
    return bounded;
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
