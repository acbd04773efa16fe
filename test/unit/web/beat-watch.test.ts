import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BeatWatch } from '../../../web/src/api/beat-watch.ts';

let silent: number[];
let watch: BeatWatch;
beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  silent = [];
  watch = new BeatWatch((lastHeardAt) => silent.push(lastHeardAt));
  watch.begin();
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

it('a stream that opens and never says a word counts as silent', () => {
  vi.advanceTimersByTime(29_999);
  expect(silent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(silent).toEqual([0]);
});

it('a stream opened in place of a lost one has less time at first, for a slow server more each time', () => {
  const patience = [1, 2, 3, 4, 9].map((failures) => {
    const from = Date.now();
    watch.begin(failures);
    vi.advanceTimersToNextTimer();
    return Date.now() - from;
  });
  expect(patience).toEqual([5_000, 10_000, 20_000, 30_000, 30_000]);
  expect(silent).toHaveLength(5);
});

it('one late beat is borne, two and some seconds are not', () => {
  watch.hear({ resumed: false, beatMs: 15_000 });
  vi.advanceTimersByTime(15_000);
  watch.hear({ beatMs: 15_000 });
  vi.advanceTimersByTime(34_999);
  expect(silent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(silent).toEqual([15_000]);
});

it('any event is a sign of life', () => {
  watch.hear({ beatMs: 1_000 });
  for (let at = 0; at < 10; at++) {
    vi.advanceTimersByTime(6_000);
    watch.hear();
  }
  expect(silent).toEqual([]);
  vi.advanceTimersByTime(7_000);
  expect(silent).toEqual([60_000]);
});

it('a server that promises no beats is trusted', () => {
  watch.hear({ resumed: false });
  vi.advanceTimersByTime(3_600_000);
  expect(silent).toEqual([]);
});

it('tells once, and again only after a new beginning', () => {
  watch.hear({ beatMs: 1_000 });
  vi.advanceTimersByTime(3_600_000);
  expect(silent).toHaveLength(1);
  watch.begin();
  vi.advanceTimersByTime(30_000);
  expect(silent).toHaveLength(2);
});

it('a stream that was closed on purpose is not missed', () => {
  watch.hear({ beatMs: 1_000 });
  watch.stop();
  vi.advanceTimersByTime(3_600_000);
  expect(silent).toEqual([]);
});
