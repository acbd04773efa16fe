import { describe, expect, it } from 'vitest';
import { parseSchedule, type ScheduleInput } from '../../../src/model/schedule.ts';
import { describeSchedule } from '../../../src/model/schedule-words.ts';
import { specChanges } from '../../../web/src/pages/deployments/spec-changes.ts';
import { durationLines } from '../../../web/src/schedule/duration-lines.ts';
import { previewBody } from '../../../web/src/schedule/preview-body.ts';
import { deploymentSentence, scheduleSentence } from '../../../web/src/schedule/sentence.ts';

const sentence = (input: ScheduleInput): string => scheduleSentence(describeSchedule(parseSchedule(input)));

describe('the sentence of a deployment', () => {
  it('says what and when', () => {
    const words = describeSchedule(parseSchedule({ cron: '0 9 * * *', timezone: 'America/New_York' }));
    expect(deploymentSentence([words], 'skip')).toBe('Every day at 09:00 New York, overlapping runs are skipped.');
    expect(deploymentSentence([words, words], 'allow')).toBe('Every day at 09:00 New York; every day at 09:00 New York, runs may overlap.');
    expect(deploymentSentence([], 'allow')).toContain('no schedule');
  });

  it('keeps what is more than daily, and shortens intervals', () => {
    expect(sentence({ cron: '30 2 * * 1', timezone: 'Europe/Lisbon' })).toBe('At 02:30, only on Monday Lisbon');
    expect(sentence({ interval: '1m' })).toBe('Every minute');
    expect(sentence({ interval: '90m' })).toBe('Every 1 h 30 m');
  });
});

describe('the preview of a stored schedule', () => {
  it('asks for the same schedule again', () => {
    for (const input of [
      { cron: '*/5 8-18 * * 1-5', timezone: 'Europe/Berlin', end: '2027-01-01T00:00:00Z' },
      { interval: '15m' },
      { interval: '2 days', timezone: 'America/New_York', anchor: '2026-03-07T02:30' },
      { rrule: 'FREQ=MONTHLY;BYDAY=-1FR', timezone: 'Asia/Tokyo' },
    ]) {
      const schedule = parseSchedule(input);
      expect(parseSchedule(previewBody(schedule))).toEqual(schedule);
    }
  });
});

describe('durations over time', () => {
  it('are lines over a round axis, with days that have none left out', () => {
    const day = 86_400_000;
    const lines = durationLines(
      [
        { startAt: 0, p50Ms: 1_000, p95Ms: 4_200 },
        { startAt: day, p50Ms: null, p95Ms: null },
        { startAt: 2 * day, p50Ms: 2_000, p95Ms: 3_000 },
      ],
      { width: 200, height: 100 },
    );
    expect(lines?.points.map(({ x }) => x)).toEqual([0, 200]);
    expect(lines?.marks.map(({ ms }) => ms)).toEqual([0, 2_000, 4_000, 6_000]);
    expect(lines?.p50.startsWith('M0.0')).toBe(true);
    expect(lines).toMatchObject({ from: '1970-01-01', until: '1970-01-03' });
    expect(durationLines([{ startAt: 0, p50Ms: null, p95Ms: null }], { width: 1, height: 1 })).toBeNull();
  });

  it('have an axis for the quickest and the longest runs', () => {
    for (const ms of [0, 1, 40, 900, 59_000, 3_700_000, 90_000_000, 40 * 86_400_000]) {
      const marks = durationLines([{ startAt: 0, p50Ms: ms, p95Ms: ms }], { width: 100, height: 100 })?.marks ?? [];
      expect(marks.length).toBeGreaterThanOrEqual(2);
      expect(marks.length).toBeLessThanOrEqual(6);
      expect(marks.at(-1)?.ms).toBeGreaterThanOrEqual(ms);
    }
  });
});

describe('versions of a deployment', () => {
  it('tell what changed, member by member, schedules by their names', () => {
    const before = { queue: 'default', params: { a: 1 }, schedules: [{ slug: 'nightly', cron: '0 2 * * *' }] };
    const after = {
      queue: 'heavy',
      params: { a: 1, b: [2] },
      schedules: [
        { slug: 'nightly', cron: '0 3 * * *' },
        { slug: 'often', interval: '15m' },
      ],
    };
    expect(specChanges(before, after)).toEqual([
      'queue: default → heavy',
      'params b: none → [2]',
      'schedules nightly cron: 0 2 * * * → 0 3 * * *',
      'schedules often: none → {"slug":"often","interval":"15m"}',
    ]);
    expect(specChanges(before, before)).toEqual([]);
    expect(specChanges(null, before)).toHaveLength(1);
  });
});
