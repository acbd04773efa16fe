/** All records of a stream, as a list. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of stream) list.push(item);
  return list;
}

/** The whole numbers from 0, so many. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
