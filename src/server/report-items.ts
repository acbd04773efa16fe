/** Reads the items of a batch one by one: invalid ones are set aside by number, and never block the others. */
import { letOthersIn } from '../base/clock.ts';
import { cutText } from '../base/cut-text.ts';
import { maxItemBytes, type RefusedItem, type ReportItem } from '../model/report.ts';
import { itemData } from './schemas/reports.ts';

/** Items read in one turn of the event loop. */
const readAtOnce = 100;
/** An instant further ahead than this is no mere clock error, ms. */
const aheadMs = 86_400_000;

export interface GivenItem {
  readonly seq: number;
  readonly kind: ReportItem['kind'];
  readonly data: unknown;
}

export async function readItems(
  given: readonly GivenItem[],
  now: number,
): Promise<{ readonly items: readonly ReportItem[]; readonly refused: readonly RefusedItem[] }> {
  const items: ReportItem[] = [];
  const refused: RefusedItem[] = [];
  let before = 0;
  for (const [at, item] of given.entries()) {
    if (at % readAtOnce === readAtOnce - 1) await letOthersIn();
    const fault = item.seq <= before ? 'does not follow the item before it by its number' : faultOf(item, now);
    before = Math.max(before, item.seq);
    if (fault === null) items.push(item as ReportItem);
    else refused.push({ seq: item.seq, reason: 'invalid', message: `The ${item.kind} ${item.seq} ${fault}.` });
  }
  return { items, refused };
}

function faultOf({ kind, data }: GivenItem, now: number): string | null {
  if (JSON.stringify(data ?? null).length > maxItemBytes) return `is larger than ${maxItemBytes} characters`;
  const read = itemData[kind].safeParse(data);
  if (!read.success) {
    const [issue] = read.error.issues;
    return cutText(`does not fit: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(), 500);
  }
  const times = read.data as { readonly createdAt?: number; readonly at?: number };
  return Math.max(times.createdAt ?? 0, times.at ?? 0) > now + aheadMs ? 'is of a day that has not come; set the clock where it ran' : null;
}
