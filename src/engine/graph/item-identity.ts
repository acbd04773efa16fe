/**
 * Which recorded task run belongs to which item of a mapped task.
 *
 * Matched by what the item is, never by its place: the list may be another one when it is requested again (`persist: false`, another
 * version of the flow). Older rows that do not identify their item are matched by place.
 */
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import { inSlices } from '../../base/slices.ts';
import type { TaskRun } from '../../model/run.ts';
import { encodeValue } from '../values/results.ts';

/** 132 bits: 100,000 items do not collide by chance. */
const hashChars = 22;

/** The text of an item; null if it has none: it is a primitive, or cannot be recorded. */
export function itemText(item: unknown): string | null {
  if (typeof item !== 'object' || item === null) return null;
  try {
    return encodeValue(item, 'item');
  } catch {
    return null;
  }
}

/** Identifies an item among others. @param text `itemText` of it */
export function itemHash(item: unknown, text: string | null): string {
  if (typeof item === 'number') return String(item);
  if (text !== null) return hashOf(text);
  if (typeof item === 'string') return hashOf(`"${item}`);
  if (typeof item === 'object' && item !== null) return hashOf(lookOf(item));
  if (typeof item === 'bigint') return `${item}n`;
  return typeof item === 'function' ? hashOf(`f${item.name}`) : String(item);
}

function hashOf(text: string): string {
  return `#${hash('sha256', text, 'base64url').slice(0, hashChars)}`;
}

/** An instance of a class is identified by its visible fields; if several look the same, the first is the first. */
function lookOf(item: object): string {
  try {
    return inspect(item, { depth: 4, maxArrayLength: 1_000, maxStringLength: 10_000, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    return 'nothing can be seen of it';
  }
}

/**
 * The recorded row of each item, undefined if there is none. Among equals, each row goes to one item, preferably that in its place. Linear
 * in items and rows, and in slices: there may be a hundred thousand.
 */
export async function matchItems(rows: readonly TaskRun[], hashes: readonly string[]): Promise<(TaskRun | undefined)[]> {
  const matched = new Array<TaskRun | undefined>(hashes.length);
  const left = new Map<string, TaskRun[]>();
  await inSlices(rows, (row) => {
    const { index, itemHash: ofRow } = row;
    if (index === null) return;
    if (index < hashes.length && matched[index] === undefined && (ofRow === null || ofRow === hashes[index])) matched[index] = row;
    else if (ofRow !== null) {
      const same = left.get(ofRow);
      if (same) same.push(row);
      else left.set(ofRow, [row]);
    }
  });
  if (left.size === 0) return matched;
  for (const same of left.values()) same.reverse();
  await inSlices(hashes, (ofItem, index) => void (matched[index] ??= left.get(ofItem)?.pop()));
  return matched;
}
