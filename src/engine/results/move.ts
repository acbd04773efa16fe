/**
 * Moves large results of ended runs to another place.
 *
 * One after the other: copied, checked against its hash, then named at its new place and noted as left at the old one in one transaction,
 * then cleared there. Killed at any point, it leaves each result readable: a copy that is not named yet is written again by the next move
 * or goes with its run, and what was left and not cleared is cleared by the next move. Several moves may run at the same time.
 */
import { isBatutaError } from '../../base/errors.ts';
import { parseRef, refText } from '../../model/result-ref.ts';
import type { ListedResult, Store } from '../../store/store.ts';
import { Measure } from './pieces.ts';
import { damaged, type ResultPlace } from './place.ts';
import type { ResultStorage } from './storage.ts';

export interface MoveOptions {
  readonly store: Pick<Store, 'results' | 'keptResults'>;
  /** Knows all places that results are moved from. */
  readonly storage: ResultStorage;
  /** Their new place. */
  readonly to: ResultPlace;
  /** Whether results are only counted. Default false. */
  readonly isDry?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each result. */
  readonly onMoved?: (report: MoveReport) => void;
}

export interface MoveReport {
  /** Moved, or to be moved if `isDry`. */
  readonly moved: number;
  /** Of these, if known. */
  readonly bytes: number;
  /** Left where they are: a run that names them is active again. */
  readonly busy: number;
  /** Left where they are, as they cannot be read: gone, damaged, or on another machine. */
  readonly unreadable: readonly { readonly locator: string; readonly why: string }[];
}

const pageSize = 100;

/** @throws BatutaError STORE_…, PACKAGE_MISSING; what was moved before stays moved */
export async function moveResults(options: MoveOptions): Promise<MoveReport> {
  const { store, to, isDry = false, signal } = options;
  if (!isDry) await clearLeftBehind(options);
  const unreadable: { readonly locator: string; readonly why: string }[] = [];
  const report = { moved: 0, bytes: 0, busy: 0, unreadable };
  for (let after = ''; ; ) {
    const page = await store.results.movable(to.prefix, after, pageSize);
    for (const result of page) {
      if (signal?.aborted) return report;
      after = result.locator;
      if (isDry) {
        report.moved++;
        report.bytes += result.bytes ?? 0;
        continue;
      }
      try {
        const bytes = await moveOne(options, result);
        if (bytes === null) report.busy++;
        else {
          report.moved++;
          report.bytes += bytes;
        }
      } catch (error) {
        if (!isBatutaError(error, 'RESULT_MISSING')) throw error;
        // A concurrent move may have been quicker.
        if ((await store.keptResults([result.locator])).length > 0) unreadable.push({ locator: result.locator, why: error.message });
      }
      options.onMoved?.(report);
    }
    if (page.length < pageSize) return report;
  }
}

/** Its size, bytes; null if it stays. */
async function moveOne({ store, storage, to }: MoveOptions, { locator, bytes, sha256 }: ListedResult): Promise<number | null> {
  const ref = parseRef(locator);
  const from = storage.placeOf(ref);
  const measure = new Measure();
  await to.write(ref.key, measure.along(await from.read(ref.key)));
  const found = measure.sha256();
  const target = to.prefix + ref.key;
  const isWhole = (bytes === null || bytes === measure.bytes) && (sha256 === null || sha256 === found);
  const moved = isWhole ? await store.results.move([{ from: locator, to: refText(target, measure.bytes, found) }]) : [];
  if (moved.length === 0) {
    if ((await store.keptResults([target])).length === 0) await to.remove(ref.key);
    if (isWhole) return null;
    throw damaged(ref.key, from.name, 'its length or hash is not that of what was stored');
  }
  await from.remove(ref.key);
  await store.results.forget([locator]);
  return measure.bytes;
}

async function clearLeftBehind({ store, storage, signal }: MoveOptions): Promise<void> {
  for (let left = await store.results.leftBehind(); left.length > 0; left = await store.results.leftBehind()) {
    for (const locator of left) {
      if (signal?.aborted) return;
      const ref = parseRef(locator);
      await storage.placeOf(ref).remove(ref.key);
      await store.results.forget([locator]);
    }
  }
}
