/** `batuta backfill …` as a user runs it, with a real scheduler and worker. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const daily = `
import { Flow, Task, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';
@Flow()
export class Daily {
  @Task() async day(ctx: TaskContext) {
    const day = ctx.run.scheduledFor?.toISOString().slice(0, 10);
    if (day === '2025-01-03' && !existsSync('mended')) throw new Error('the third is broken');
    if (existsSync('slow')) await new Promise((_, reject) => { const timer = setInterval(() => {}, 1000); ctx.signal.addEventListener('abort', () => { clearInterval(timer); reject(ctx.signal.reason); }); });
    return day;
  }
}`;

const range = ['--from', '2025-01-01', '--to', '2025-01-06'];

describe('batuta backfill', () => {
  let project: CliProject;
  let fleet: Started[];
  beforeEach(async () => {
    project = makeCliProject({ 'flows/daily.ts': daily });
    fleet = [];
    await project.batuta('deploy', 'daily', '--cron', '0 0 * * *', '--timezone', 'Europe/Lisbon');
  });
  afterEach(async () => {
    for (const { child } of fleet) child.kill('SIGTERM');
    for (const { finished } of fleet) await finished;
    project.remove();
  });
  const start = (...args: string[]): Started => {
    const started = project.start(...args);
    fleet.push(started);
    return started;
  };
  const json = async (...args: string[]) => JSON.parse((await project.batuta(...args, '--json')).stdout);

  it('runs each tick of the past once, reports what failed, and resumes that alone', async () => {
    start('worker');
    start('scheduler');
    const watched = await project.batuta('backfill', 'daily', ...range, '--max-parallel', '2', '--watch', '--json');
    const done = JSON.parse(watched.stdout);
    expect([watched.status, done]).toMatchObject([
      1,
      { deployment: 'daily', schedule: 'cron', total: 5, completed: 4, failed: 1, state: 'failed' },
    ]);
    const inspected = await project.batuta('backfill', 'inspect', done.id.slice(-8));
    expect(inspected.stdout).toMatch(/✕ failed {2}daily {2}█+ 100 % {2}4 of 5, 1 failed/);
    expect(inspected.stdout).toMatch(/✕ Failed {2}2025-01-03T00:00:00Z/);
    project.write('mended', '');
    expect(await json('backfill', 'resume', done.id)).toMatchObject({ state: 'running', waiting: 1 });
    const again = await project.batuta('backfill', 'inspect', done.id, '--watch', '--json');
    expect([again.status, JSON.parse(again.stdout)]).toMatchObject([0, { completed: 5, failed: 0, state: 'completed', failedRuns: [] }]);
    const runs = await json('runs', 'ls', '--deployment', 'daily');
    expect(runs.map((run: { scheduledFor: string }) => run.scheduledFor.slice(0, 10)).sort()).toEqual(
      [1, 2, 3, 4, 5].map((day) => `2025-01-0${day}`),
    );
    expect((await project.batuta('backfill', 'ls')).stdout).toMatch(/✓ completed {2}daily/);
  });

  it('goes on where it was when its scheduler was killed', async () => {
    start('worker');
    const begun = await json('backfill', 'daily', ...range, '--newest-first');
    expect(begun).toMatchObject({
      order: 'newest',
      maxParallel: 1,
      state: 'running',
      from: '2025-01-01T00:00:00.000Z',
      to: '2025-01-06T00:00:00.000Z',
    });
    const first = start('scheduler');
    await first.sees('Scheduler on');
    first.child.kill('SIGKILL');
    await first.finished;
    start('scheduler');
    const { stdout } = await project.batuta('backfill', 'inspect', begun.id, '--watch', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ total: 5, completed: 4, failed: 1 });
    expect(await json('runs', 'ls', '--deployment', 'daily')).toHaveLength(5);
  });

  it('is cancelled as a whole', async () => {
    project.write('slow', '');
    start('worker');
    start('scheduler');
    const { id } = await json('backfill', 'daily', ...range, '--max-parallel', '2');
    await expect.poll(async () => (await json('backfill', 'inspect', id)).running, { timeout: 20_000 }).toBe(2);
    const cancelled = await project.batuta('backfill', 'cancel', id);
    expect([cancelled.status, cancelled.stdout]).toEqual([0, expect.stringContaining('⊘ cancel')]);
    await expect.poll(async () => (await json('backfill', 'inspect', id)).state, { timeout: 20_000 }).toBe('cancelled');
    expect(await json('runs', 'ls', '--deployment', 'daily')).toHaveLength(2);
    expect((await project.batuta('backfill', 'cancel', id)).stderr).toContain('has ended already');
  });
});

describe('batuta backfill with wrong input', () => {
  const project = makeCliProject({ 'flows/daily.ts': daily });
  afterAll(() => project.remove());

  it('says with --dry-run what it would do, and does nothing', async () => {
    await project.batuta('deploy', 'daily', '--cron', '0 0 * * *', '--timezone', 'Asia/Tokyo');
    await project.batuta('deploy', 'daily', '--name', 'minutes', '--cron', '* * * * *');
    await project.batuta('deploy', 'daily', '--name', 'plain');
    const dry = await project.batuta('backfill', 'daily', '--from', '2025-01-01', '--to', '2025-01-21', '--dry-run');
    const lines = dry.stdout.split('\n');
    expect([dry.status, lines.length, lines[0], lines[1], lines[6], lines[11]]).toEqual([
      0,
      13,
      'Would make 20 runs of daily, oldest first, for the ticks',
      '  Wed 2025-01-01 00:00:00 +09:00',
      '  …',
      '  Mon 2025-01-20 00:00:00 +09:00',
    ]);
    const data = await project.batuta('backfill', 'daily', '--from', '2025-01-01', '--to', '2025-01-03', '--dry-run', '--json');
    expect(JSON.parse(data.stdout)).toEqual({
      ...{ deployment: 'daily', total: 2, exact: true },
      first: ['2024-12-31T15:00:00.000Z', '2025-01-01T15:00:00.000Z'],
      last: ['2024-12-31T15:00:00.000Z', '2025-01-01T15:00:00.000Z'],
    });
  });

  it.each<[string[], string]>([
    [[], 'error USAGE: A backfill needs a deployment'],
    [['daily', '--to', '2025-01-01'], 'A backfill needs --from'],
    [['daily', '--from', '2025-01-01'], 'A backfill needs --to'],
    [['dayly', ...range], "There is no deployment 'dayly'. Did you mean 'daily'?"],
    [['daily', '--from', 'yesterday', '--to', '2025-01-01'], '--from must be an ISO time'],
    [['daily', '--from', '2025-01-02', '--to', '2025-01-01'], 'from an instant to a later one'],
    [['daily', '--from', '2025-01-01T01:00', '--to', '2025-01-01T02:00'], 'has no tick from'],
    [['daily', ...range, '--max-parallel', '0'], '--max-parallel must be a whole number from 1'],
    [['daily', ...range, '--schedule', 'x'], "has no schedule 'x'"],
    [['plain', ...range], 'Deployment plain has no schedule'],
    [['minutes', '--from', '2023-01-01', '--to', '2025-01-01'], 'error BACKFILL_TOO_LARGE: This backfill of minutes would make about 1,05'],
    [['inspect', 'abcdef'], 'No backfill has the id abcdef'],
    [['cancel', 'abcdef'], 'No backfill has the id abcdef'],
  ])('%j is refused with one sentence and status 2', async (args, message) => {
    const { status, stdout, stderr } = await project.batuta('backfill', ...args);
    expect([status, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toContain(message);
  });

  it('has begun nothing of all that', async () => {
    expect((await project.batuta('backfill', 'ls', '--json')).stdout).toBe('[]\n');
  });
});
