/** What the recorder writes together, and what one flush that fails leaves alone: over a connection whose flushes end by hand. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Batch } from '../../../src/store/batch.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { GroupCommitRecorder } from '../../../src/store/recorder.ts';
import type { Claim, FlushReport } from '../../../src/store/store.ts';
import { logLine, taskRun } from '../../contract/store/rows.ts';
import { gate } from '../../support/make-flow.ts';

const claim = { runId: 'run', epoch: 1 };
const turns = async (): Promise<void> => {
  for (let left = 6; left > 0; left--) await turn();
};

/** A recorder, and its batches as they were written. Each ends as `end` says, at once where it gives no promise. */
function recorderOver(end: (batch: Batch) => Promise<readonly Claim[]> | readonly Claim[] = () => []) {
  const [written, prepared, failed]: [Batch[], Batch[], unknown[]] = [[], [], []];
  const connection = {
    url: 'fake:',
    writeBatch: (batch: Batch) => (written.push(batch), end(batch)),
    prepareBatch: (batch: Batch) => void prepared.push(batch),
  };
  const recorder = new GroupCommitRecorder(connection as unknown as Connection, { onError: (error) => void failed.push(error) });
  const log = (message: string): Promise<void> => recorder.addLog(logLine('run', message));
  const texts = () => written.map(({ logs }) => logs.map(({ message }) => message));
  return { recorder, written, prepared, failed, log, texts };
}
/** Flushes that end one by one. */
function byHand() {
  const gates: ReturnType<typeof gate<readonly Claim[]>>[] = [];
  const over = recorderOver(() => {
    const next = gate<readonly Claim[]>();
    gates.push(next);
    return next.opened;
  });
  return { ...over, gates };
}

describe('a flush', () => {
  test('carries all that was added in one turn, and what comes while it is written is the next', async () => {
    const { log, texts, gates } = byHand();
    const first = log('a');
    expect(log('b')).toBe(first);
    await turns();
    const second = log('c');
    expect(second).not.toBe(first);
    await turns();
    expect(log('d')).toBe(second);
    expect(texts()).toEqual([['a', 'b']]);
    gates[0]?.open([]);
    await first;
    await turns();
    expect(texts()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    gates[1]?.open([]);
    await second;
    expect(log('e')).not.toBe(second);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ] as const)('that %s fails those that wait for it, and no other', async (_, fail) => {
    let writes = 0;
    const { log, failed, texts } = recorderOver(() => (writes++ === 0 ? fail() : []));
    await expect(log('a')).rejects.toThrow('full');
    await log('b');
    expect([texts(), failed.length]).toEqual([[['a'], ['b']], 1]);
  });

  test('that fails while others wait in line is followed by them', async () => {
    let writes = 0;
    const { log, texts } = recorderOver(async () => (writes++ === 0 ? await Promise.reject(new Error('full')) : []));
    const first = log('a');
    for (let line = 0; line < 1_500; line++) void log(`${line}`);
    await expect(first).rejects.toThrow('full');
    await log('last');
    expect(texts().map((lines) => lines.length)).toEqual([1_000, 502]);
  });

  test('tells whoever listens which claims it refused, before it ends for those that wait', async () => {
    const other = { runId: 'other', epoch: 2 };
    const { recorder, log } = recorderOver(() => [claim, other]);
    const seen: unknown[] = [];
    recorder.onFenced((refused) => seen.push(refused));
    recorder.onFenced((refused) => seen.push(refused));
    await log('a').then(() => seen.push('ended'));
    expect(seen).toEqual([claim, claim, other, other, 'ended']);
  });

  test('is reported with its rows and how it ended, until the listener stops', async () => {
    let writes = 0;
    const { recorder, log } = recorderOver(() => (writes++ === 1 ? Promise.reject(new Error('full')) : []));
    const reports: FlushReport[] = [];
    const began = systemClock.monotonic();
    const stop = recorder.onFlush((report) => reports.push(report));
    await log('abc');
    await expect(log('d')).rejects.toThrow();
    stop();
    await log('e');
    await turns();
    expect(reports).toMatchObject([
      { ok: true, rows: 1, bytes: 3 },
      { ok: false, rows: 1, bytes: 1 },
    ]);
    for (const { ms } of reports) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(systemClock.monotonic() - began);
    }
  });

  test('that takes its time has the next one prepared meanwhile, unless that may still change', async () => {
    const { log, prepared, written, gates } = byHand();
    for (let line = 0; line < 2_500; line++) void log(`${line}`);
    await turns();
    expect([written.length, prepared.length]).toEqual([1, 1]);
    gates[0]?.open([]);
    await turns();
    expect(written[1]).toBe(prepared[0]);
    // The third is open.
    expect([written.length, prepared.length]).toEqual([2, 1]);
    gates[1]?.open([]);
    await turns();
    gates[2]?.open([]);
    expect(written.map(({ logs }) => logs.length)).toEqual([1_000, 1_000, 500]);
    expect(prepared).toHaveLength(1);
  });
});

describe('a batch', () => {
  test('of a thousand rows takes no more, and is not open for more', async () => {
    const { recorder, log, texts } = recorderOver();
    let last: Promise<void> = Promise.resolve();
    for (let line = 0; line < 999; line++) last = log(`${line}`);
    expect(recorder.isOpen(last)).toBe(true);
    expect(recorder.isOpen(Promise.resolve())).toBe(false);
    expect(log('999')).toBe(last);
    expect(recorder.isOpen(last)).toBe(false);
    const next = log('1000');
    expect(next).not.toBe(last);
    expect([recorder.isOpen(last), recorder.isOpen(next)]).toEqual([false, true]);
    await next;
    expect(texts().map((lines) => lines.length)).toEqual([1_000, 1]);
    expect(recorder.isOpen(next)).toBe(false);
  });

  test('that is full takes a row that it holds already, and no other', async () => {
    const { recorder, log, written } = recorderOver();
    const row = taskRun('run', 'work');
    const first = recorder.addTaskRun(claim, row, null, true);
    for (let line = 0; line < 999; line++) void log(`${line}`);
    const changed = { ...row, attempt: 2 };
    expect(recorder.addTaskRun(claim, changed, null)).toBe(first);
    const other = recorder.addTaskRun(claim, taskRun('run', 'other'), null);
    expect(other).not.toBe(first);
    await other;
    expect([...(written[0]?.taskRuns.values() ?? [])].map((one) => one.row)).toEqual([changed]);
  });

  test('waits for what is added in the next turn where that is asked for, and for one turn only', async () => {
    const { recorder, log, texts } = recorderOver();
    const first = log('a');
    void recorder.nextTurn();
    await turn();
    expect([texts(), log('b')]).toEqual([[], first]);
    void recorder.nextTurn();
    await first;
    expect(texts()).toEqual([['a', 'b']]);
    expect(recorder.nextTurn()).toBe(recorder.nextTurn());
  });

  test('is delayed by one turn, however many are asked for', async () => {
    const { recorder, log } = recorderOver();
    let isWritten = false;
    void log('a').then(() => (isWritten = true));
    for (let left = 20; left > 0 && !isWritten; left--) await recorder.nextTurn();
    expect(isWritten).toBe(true);
  });

  type Over = ReturnType<typeof recorderOver>;
  const hastened: readonly (readonly [string, (over: Over) => Promise<unknown>])[] = [
    ['a line is added', ({ log }) => log('now')],
    ['it is to be flushed', ({ recorder }) => recorder.flush()],
    ['the recorder ends', ({ recorder }) => recorder.close()],
    ['a row is added that may not wait', ({ recorder }) => recorder.addTaskRun(claim, taskRun('run', 'now'), null)],
    ['a row of it may not wait any more', ({ recorder }) => recorder.addTaskRun(claim, { ...short, attempt: 2 }, null)],
  ];
  const short = taskRun('run', 'short');
  test.each(hastened)('of rows that may wait is held until %s', async (_, hasten) => {
    // The time for which it is held does not pass.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    for (const isHeld of [true, false]) {
      const over = recorderOver();
      const held = over.recorder.addTaskRun(claim, short, null, true, true);
      if (isHeld) await turns();
      void over.recorder.addTaskRun(claim, taskRun('run', 'as short'), null, true, true);
      if (isHeld) await turns();
      expect([over.written, over.recorder.isOpen(held)]).toEqual([[], true]);
      const done = hasten(over);
      await turns();
      expect(over.written).toHaveLength(1);
      await Promise.all([held, done]);
    }
  });

  test('knows of a row that it may replace another, unless it is said to be new', async () => {
    const { recorder, written } = recorderOver();
    const [known, fresh] = [taskRun('run', 'known'), taskRun('run', 'fresh')];
    await Promise.all([recorder.addTaskRun(claim, known, null), recorder.addTaskRun(claim, fresh, null, true)]);
    expect([...(written[0]?.taskRuns.values() ?? [])].map(({ isNew }) => isNew)).toEqual([false, true]);
  });

  test('that is open at the end is written with all it holds, and what comes after it is refused', async () => {
    const { recorder, log, texts } = recorderOver();
    const before = log('a');
    const closed = recorder.close();
    expect(log('b')).toBe(before);
    await Promise.all([before, closed]);
    await expect(log('c')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await recorder.flush();
    expect(texts()).toEqual([['a', 'b']]);
  });

  test('needs no listener for failures, and nothing that prepares it; a recorder without one ends at once', async () => {
    const failing = { url: 'fake:', writeBatch: () => Promise.reject(new Error('full')) };
    const recorder = new GroupCommitRecorder(failing as unknown as Connection);
    await recorder.close();
    const other = new GroupCommitRecorder(failing as unknown as Connection);
    const [first, ...rest] = Array.from({ length: 2_500 }, (_, at) => other.addLog(logLine('run', `${at}`)));
    await expect(first).rejects.toThrow('full');
    await expect(rest.at(-1)).rejects.toThrow('full');
  });
});
