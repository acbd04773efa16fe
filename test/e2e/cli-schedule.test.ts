import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const project = makeCliProject();
afterAll(() => project.remove());

const preview = (...args: string[]) => project.batuta('schedule', 'preview', ...args);

describe('batuta schedule preview', () => {
  it('prints UTC instants strictly after --from and nothing else with --json', async () => {
    const { status, stdout, stderr } = await preview('--cron', '0 0 * * *', '--from', '2026-01-01T00:00:00Z', '--count', '2', '--json');
    expect([status, stderr, JSON.parse(stdout)]).toEqual([0, '', ['2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z']]);
  });

  it('says in words what clock changes do', async () => {
    const { status, stdout } = await preview(
      '--cron',
      '30 2 * * *',
      '--timezone',
      'America/New_York',
      '--from',
      '2026-03-07',
      '--count',
      '3',
    );
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        'At 02:30, in America/New_York',
        '  Sat 2026-03-07 02:30:00 -05:00  2026-03-07T07:30:00.000Z',
        '  Sun 2026-03-08 03:00:00 -04:00  2026-03-08T07:00:00.000Z  moved: its time does not exist this day',
        '  Mon 2026-03-09 02:30:00 -04:00  2026-03-09T06:30:00.000Z',
        '! On 2026-03-08 clocks go forward from 02:00 to 03:00: 02:30 does not exist that day, so its tick moves forward.',
        '',
      ].join('\n'),
    );
  });

  it('previews intervals and recurrence rules', async () => {
    const interval = await preview('--interval', '3600', '--from', '2026-01-01T00:30Z', '--count', '1', '--json');
    expect(JSON.parse(interval.stdout)).toEqual(['2026-01-01T01:00:00.000Z']);
    const rrule = await preview('--rrule', 'DTSTART:20260101T090000Z RRULE:FREQ=DAILY;COUNT=1', '--from', '2026-02-01', '--json');
    expect([rrule.status, JSON.parse(rrule.stdout)]).toEqual([0, []]);
  });

  it.each<[string[], string]>([
    [[], 'error SCHEDULE_INVALID: A schedule needs one of cron, interval and rrule.'],
    [['--cron', '@daily', '--interval', '1h'], 'not cron and interval'],
    [['--cron', '0 25 * * *'], 'Field 2 (hour)'],
    [['--cron', '@daily', '--timezone', 'Europe/Lisbn'], "Did you mean 'Europe/Lisbon'"],
    [['--interval', '-5'], 'must be longer than 0'],
    [['--cron', '@daily', '--from', 'yesterday'], '--from must be an ISO time'],
    [['--cron', '@daily', '--count', '0'], 'error USAGE: --count must be a whole number from 1 to 1000'],
  ])('refuses %j with one line and status 2', async (args, message) => {
    const { status, stdout, stderr } = await preview(...args);
    expect([status, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toContain(message);
  });
});
