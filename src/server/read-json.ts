/**
 * Reads JSON text in slices, so that others get their turns of the event loop while a large body is read.
 *
 * The text is scanned first, without building anything: its depth, its size, and where the one long list of an object (the runs of `{ flow,
 * runs }`) can be cut between two items. Then the pieces are parsed, one per turn. Invalid JSON is found by the parser, in one of the
 * pieces or in the rest around them.
 */
import { letOthersIn } from '../base/clock.ts';

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

export interface ReadJsonOptions {
  /** Parses a text. @throws on invalid text */
  readonly parse: (text: string) => unknown;
  readonly maxDepth: number;
  /** Of objects and lists. */
  readonly maxContainers: number;
  /** Minimum length of a piece, bytes; default 256 KiB. */
  readonly pieceBytes?: number;
}

/** What the text holds; counted until it is too much. */
export interface Measured {
  readonly depth: number;
  readonly containers: number;
}

/** A list in the outermost object that is parsed in pieces. */
interface LongList {
  /** Range of its name in the text, quotes included. */
  readonly name: readonly [from: number, to: number];
  /** Start of its first item; then the commas at which it is cut. */
  readonly from: number;
  readonly cuts: number[];
  /** Its closing bracket. */
  to: number;
}

const usualPieceBytes = 256 * 1024;

/**
 * The value of the text.
 *
 * @param refuse called if it exceeds the depth or size limit; throws
 */
export async function readJson(bytes: Buffer, options: ReadJsonOptions, refuse: (measured: Measured) => never): Promise<unknown> {
  const { parse, maxDepth, maxContainers, pieceBytes = usualPieceBytes } = options;
  const { measured, list } = await lookOver(bytes, maxDepth, maxContainers, pieceBytes);
  if (measured.depth > maxDepth || measured.containers > maxContainers) refuse(measured);
  if (list === null) return parse(bytes.toString('utf8'));
  const around = parse(`${bytes.toString('utf8', 0, list.from)}${bytes.toString('utf8', list.to)}`) as Record<string, unknown>;
  const name = JSON.parse(bytes.toString('utf8', ...list.name)) as string;
  const items = around[name];
  if (!Array.isArray(items)) return around;
  for (const [at, cut] of [list.from, ...list.cuts].entries()) {
    const text = bytes.toString('utf8', at === 0 ? cut : cut + 1, list.cuts[at] ?? list.to);
    // A trailing comma is for the parser to refuse.
    const piece = parse(text.trim() === '' ? '[,]' : `[${text}]`) as unknown[];
    for (const item of piece) items.push(item);
    await letOthersIn();
  }
  return around;
}

async function lookOver(bytes: Buffer, maxDepth: number, maxContainers: number, pieceBytes: number) {
  let depth = 0;
  let deepest = 0;
  let containers = 0;
  let rested = 0;
  let name: readonly [number, number] = [0, 0];
  const names = new Set<string>();
  let list: LongList | null = null;
  let long: LongList | null = null;
  let isSure = bytes[0] === openObject;
  for (let at = 0; at < bytes.length; at++) {
    if (at - rested > pieceBytes) {
      rested = at;
      await letOthersIn();
    }
    const byte = bytes[at];
    if (byte === quote) {
      const end = endOfText(bytes, at);
      if (depth === 1) name = [at, end + 1];
      at = end;
    } else if (byte === comma) {
      if (depth === 2 && list !== null && at - (list.cuts.at(-1) ?? list.from) > pieceBytes) list.cuts.push(at);
    } else if (byte === openList || byte === openObject) {
      containers++;
      deepest = Math.max(deepest, ++depth);
      if (deepest > maxDepth || containers > maxContainers) break;
      if (depth === 2 && byte === openList) list = { name, from: at + 1, cuts: [], to: 0 };
    } else if (byte === closeList || byte === closeObject) {
      depth--;
      if (depth !== 1 || list === null) continue;
      // For a repeated name the last one counts, which is left to the parser.
      const text = bytes.toString('latin1', ...list.name);
      if (names.has(text) || text.includes('\\') || byte !== closeList) isSure = false;
      names.add(text);
      list.to = at;
      if (list.cuts.length > 0) {
        if (long !== null) isSure = false;
        long = list;
      }
      list = null;
    }
  }
  return { measured: { depth: deepest, containers }, list: isSure && depth === 0 ? long : null };
}

/** Position of the closing quote of a text that begins at `from`; the end of input if none. */
function endOfText(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(quote, from + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === backslash) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}
