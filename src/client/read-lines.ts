/** Reads the requested lines of a log, however few of them a server sends at once. Pure; also run in browsers. */

/** The requested part of a log. */
export interface Stretch {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  /** The last this many. */
  readonly tail?: number | undefined;
  readonly limit?: number | undefined;
}

/** Like `LogPage` of the store. */
interface PageOfLines<Line> {
  readonly lines: readonly Line[];
  readonly hasMore: boolean;
}

/** @param most maximum number of lines */
export async function readLines<Line extends { readonly seq: number }, Asked extends Stretch>(
  stretch: Asked,
  most: number,
  read: (stretch: Asked) => Promise<PageOfLines<Line>>,
): Promise<readonly Line[]> {
  const fromEnd = stretch.tail !== undefined;
  let all: readonly Line[] = [];
  for (let rest = stretch; ; ) {
    const { lines, hasMore } = await read(rest);
    all = fromEnd ? [...lines, ...all] : [...all, ...lines];
    const left = most - all.length;
    if (!hasMore || left <= 0 || lines.length === 0) return all;
    const place = fromEnd ? { before: all[0]?.seq, tail: left } : { after: all.at(-1)?.seq, limit: left };
    rest = { ...rest, ...place };
  }
}
