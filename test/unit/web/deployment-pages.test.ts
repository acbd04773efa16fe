import { describe, expect, it } from 'vitest';
import { parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';
import { describeSchedule } from '../../../src/model/schedule/words.ts';
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
    expect(sentence({ cron: '30 2 * * 1', timezone: 'Europe/Lisbon' })).toBe('At 02:30 Lisbon, only on Monday');
    expect(sentence({ cron: '*/5 8-18 * * *', timezone: 'Europe/Berlin' })).toMatch(/^Every 5 minutes, .*, Berlin time$/);
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
  const cron = (expression: string, timezone = 'UTC') => ({ kind: 'cron', expression, timezone, start: null, end: null });
  const before = {
    queue: 'default',
    tags: [],
    catchupWindowMs: 3_600_000,
    retentionMs: null,
    params: JSON.stringify({ json: { a: 1, at: '2026-01-01T00:00:00.000Z' }, meta: { values: { at: ['Date'] } } }),
    schedules: [{ slug: 'nightly', schedule: cron('0 2 * * *', 'Europe/Lisbon'), params: null, jitterMs: 0 }],
    complete: false,
  };

  it('tell what changed, thing by thing, schedules and parameters by their names', () => {
    const after = {
      queue: 'heavy',
      tags: ['a', 'b'],
      catchupWindowMs: 7_200_000,
      retentionMs: 86_400_000,
      params: JSON.stringify({ json: { a: 1, b: [2], c: '<b>' } }),
      schedules: [
        { slug: 'nightly', schedule: cron('0 3 * * *', 'America/New_York'), params: '{"json":{"x":1}}', jitterMs: 5000 },
        { slug: 'often', schedule: { kind: 'interval', every: { ms: 900_000 }, anchor: 0, timezone: 'UTC' }, params: null, jitterMs: 0 },
        { slug: 'weekly', schedule: cron('0 0 * * 1', 'Asia/Tokyo'), params: null, jitterMs: 0 },
      ],
      complete: true,
    };
    expect(specChanges(before, after)).toEqual([
      'queue: default → heavy',
      'tags: none → a, b',
      'catchup window: 1 h → 2 h',
      'retention: none → 1 d',
      'parameter at: "2026-01-01T00:00:00.000Z" → none',
      'parameter b: none → [2]',
      'parameter c: none → "<b>"',
      'schedule nightly: 0 2 * * * → 0 3 * * *',
      'schedule nightly timezone: Europe/Lisbon → America/New_York',
      'schedule nightly jitter: none → 5.0 s',
      'schedule nightly parameter x: none → 1',
      'schedule often: none → every 15 m',
      'schedule weekly: none → 0 0 * * 1 in Asia/Tokyo',
    ]);
    expect(specChanges(after, before)).toContain('schedule weekly: 0 0 * * 1 in Asia/Tokyo → none');
  });

  it('are the same when nothing changed, and what was written at another time breaks nothing', () => {
    expect(specChanges(before, structuredClone(before))).toEqual([]);
    expect(specChanges(null, before)).toHaveLength(1);
    expect(specChanges({ params: 'no json', schedules: [null, 3] }, { params: ['x'.repeat(200)], schedules: 'none' })).toEqual([
      `parameters: no json → ${'x'.repeat(79)}…`,
    ]);
  });
});
