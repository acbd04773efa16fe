/** Records in groups. */
import { systemClock } from '../../base/clock.ts';
import { type Duration, parseDuration } from '../../base/duration.ts';
import { checkCount } from './options.ts';
import { type Made, madeFrom, type Records } from './reading.ts';

export interface BatchOptions {
  /** How long after its first record a group is yielded even if not full. Default: only full ones, and the last. */
  readonly within?: Duration | undefined;
}

/**
 * Groups of `size` records, the last with the rest; no records, no groups. A group's records are held until the next is requested: a
 * position is confirmed only once the group's destination has taken it.
 *
 * @throws BatutaError OPTION_INVALID, DURATION_INVALID
 */
export function batch<Row>(records: Records<Row>, size: number, { within }: BatchOptions = {}): AsyncIterable<Row[]> {
  checkCount('batch', 'size', size);
  const withinMs = within === undefined ? null : parseDuration(within);
  return madeFrom([records], async function* (reader): AsyncGenerator<Made<Row[]>, void, void> {
    let group: Row[] = [];
    let until = 0;
    let asked: Promise<IteratorResult<Row, undefined>> | null = null;
    let timer: GroupTimer | null = null;
    try {
      for (;;) {
        asked ??= reader.next();
        const result: IteratorResult<Row, undefined> | 'due' = await (timer === null ? asked : Promise.race([asked, timer.due]));
        if (result !== 'due') {
          asked = null;
          if (!result.done) {
            group.push(result.value);
            if (withinMs !== null) timer ??= groupTimer(withinMs);
            if (group.length < size) continue;
          }
        }
        timer?.cancel();
        timer = null;
        until += group.length;
        if (group.length > 0) yield { record: group, reader, until };
        group = [];
        if (result !== 'due' && result.done) return;
      }
    } finally {
      timer?.cancel();
    }
  });
}

/**
 * Groups of `size` records that start `step` records apart, overlapping if `step` is less; default 1. The last one starts where `size`
 * records are left; fewer records yield no group.
 *
 * @throws BatutaError OPTION_INVALID
 */
export function window<Row>(records: Records<Row>, size: number, step = 1): AsyncIterable<Row[]> {
  checkCount('window', 'size', size);
  checkCount('window', 'step', step);
  return madeFrom([records], async function* (reader): AsyncGenerator<Made<Row[]>, void, void> {
    let rows: Row[] = [];
    let begin = 0;
    for (let at = 0; ; at++) {
      const result = await reader.next();
      if (result.done) return;
      if (at < begin) continue;
      rows.push(result.value);
      if (rows.length < size) continue;
      begin += step;
      yield { record: rows, reader, until: Math.min(begin, at + 1) };
      rows = rows.slice(step);
    }
  });
}

interface GroupTimer {
  readonly due: Promise<'due'>;
  readonly cancel: () => void;
}

function groupTimer(ms: number): GroupTimer {
  let resolve: (due: 'due') => void = () => undefined;
  const due = new Promise<'due'>((settle) => {
    resolve = settle;
  });
  const timer = systemClock.setTimer(ms, () => resolve('due'));
  return { due, cancel: () => timer.cancel() };
}
