/** A hop's taker that waits for a record. */

/** What a taker is given. */
export type Result = IteratorResult<unknown, undefined>;

/** No more records come. */
export const over: Result = { value: undefined, done: true };

export interface Waiting {
  readonly promise: Promise<Result>;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export function waitingForOne(): Waiting {
  let [resolve, reject]: [Waiting['resolve'], Waiting['reject']] = [() => undefined, () => undefined];
  const promise = new Promise<Result>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}
