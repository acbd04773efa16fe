/** Sources, stages and ends of streams of numbers. */
export type Rows = AsyncIterable<number>;

/** A source of the numbers from 0, so many. */
export function upTo(count: number) {
  return async function* (): AsyncGenerator<number> {
    for (let row = 0; row < count; row++) yield row;
  };
}

export async function* doubled(rows: Rows): AsyncGenerator<number> {
  for await (const row of rows) yield row * 2;
}

export async function sum(rows: Rows): Promise<number> {
  let total = 0;
  for await (const row of rows) total += row;
  return total;
}

/** Resolves once it holds, looked at every turn of the event loop. */
export async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setImmediate(resolve));
}
