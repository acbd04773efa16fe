/** `batuta deploy` and `batuta deployment …` as a user runs them. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliProject, makeCliProject } from './cli-project.ts';

const sales = `
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
@Flow({ params: z.object({ region: z.enum(['eu', 'us']).default('eu'), days: z.number().default(1) }), tags: ['sales'] })
export class DailySales {
  @Task() async load() { return 1; }
  @Task({ needs: ['load'] }) async sum(n: number, ctx: TaskContext<{ region: string; days: number }>) { return \`\${ctx.params.region} \${n + ctx.params.days}\`; }
}`;

let project: CliProject;
beforeEach(() => {
  project = makeCliProject({ 'flows/sales.ts': sales });
});
afterEach(() => project.remove());

const deploy = (...args: string[]) => project.batuta('deploy', ...args);
const json = async (...args: string[]) => {
  const { stdout, stderr, status } = await project.batuta(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

describe('batuta deploy', () => {
  it('warns when a flow that is deployed by its file lies where no worker looks for it', async () => {
    project.write('elsewhere/sales.ts', sales.replace('DailySales', 'WeeklySales'));
    const apart = await deploy('elsewhere/sales.ts', '--cron', '0 0 * * *');
    expect([apart.status, apart.stderr]).toEqual([
      0,
      expect.stringMatching(
        /^warning No worker started here finds flow weekly-sales: elsewhere\/sales\.ts is outside flows \(BATUTA_FLOWS\)/,
      ),
    ]);
    const given = await deploy('elsewhere/sales.ts', '--cron', '0 0 * * *', '--flows', 'flows,elsewhere');
    const inside = await deploy('flows/sales.ts', '--cron', '0 0 * * *');
    expect([given.stderr, inside.stderr].join()).not.toContain('warning');
  });

  it.each([
    [['--cron', '0 0 * * *', 'daily-sales'], { kind: 'cron', cron: '0 0 * * *', words: 'At 00:00, in UTC' }],
    [['daily-sales', '--interval', '3600'], { kind: 'interval', every: { ms: 3_600_000 } }],
    [['daily-sales', '--interval', '1 hour'], { kind: 'interval', every: { ms: 3_600_000 } }],
    [
      ['daily-sales', '--rrule', 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9', '--timezone', 'Europe/Lisbon'],
      { kind: 'rrule', timezone: 'Europe/Lisbon' },
    ],
  ])('%j prints the deployment it made', async (args, schedule) => {
    const made = await json('deploy', ...args);
    expect(made).toMatchObject({
      ...{ name: 'daily-sales', flow: 'daily-sales', version: 1, outcome: 'created', changes: [], graph: null },
      ...{ params: { region: 'eu', days: 1 }, tags: ['sales'], paused: false, origin: 'command', lastRun: null },
      schedules: [{ slug: schedule.kind, paused: false, ...schedule }],
    });
    expect(made.nextTickAt).toBe(made.schedules[0].nextTickAt);
    expect(Date.parse(made.nextTickAt)).toBeGreaterThan(Date.now());
  });

  it('says in plain English when the flow runs, and its next three ticks', async () => {
    const { status, stdout, stderr } = await deploy('daily-sales', '--cron', '0 0 * * *', '--timezone', 'Asia/Tokyo');
    expect([status, stdout.split('\n').slice(0, 2)]).toEqual([
      0,
      ['+ created  daily-sales  flow daily-sales, version 1', '  At 00:00, in Asia/Tokyo  cron'],
    ]);
    expect(stdout.match(/^ {4}\w{3} \d{4}-\d\d-\d\d 00:00:00 \+09:00/gm)).toHaveLength(3);
    expect(stderr).toContain('npx batuta scheduler');
  });

  it('says the bounds of a schedule, and of one that begins paused when it would run', async () => {
    const bounds = ['--start', '2098-01-01', '--end', '2099-01-01T12:00'];
    const words = 'At 09:00, in Asia/Tokyo, from Wed 2098-01-01 00:00:00 +09:00 on, before Thu 2099-01-01 12:00:00 +09:00  cron';
    const { stdout } = await deploy('daily-sales', '--cron', '0 9 * * *', '--timezone', 'Asia/Tokyo', ...bounds, '--paused');
    expect(
      stdout
        .split('\n')
        .slice(1, 4)
        .map((line) => line.trim()),
    ).toEqual(['‖ paused: its schedules make no runs', words, 'Wed 2098-01-01 09:00:00 +09:00']);
    expect((await project.batuta('deployment', 'inspect', 'daily-sales')).stdout).toContain(words);
  });

  it('takes all that can be said of a deployment', async () => {
    const made = await json(
      ...['deploy', 'flows/sales.ts', '--name', 'sales-us', '-p', 'region=us', '--params', '{"days":7}', '--tag', 'a', '--tag', 'b'],
      ...['--queue', 'slow', '--priority', '-5', '--catchup', 'all', '--catchup-window', '2h', '--overlap', 'skip', '--concurrency', '3'],
      ...['--cron', '0 9 * * MON', '--cron', '0 12 * * SAT', '--start', '2020-01-01', '--end', '2099-01-01', '--jitter', '5s'],
      ...['--paused', '--description', 'what sold', '--retention', 'forever'],
    );
    expect(made).toMatchObject({
      ...{
        name: 'sales-us',
        flow: 'daily-sales',
        params: { region: 'us', days: 7 },
        tags: ['sales', 'a', 'b'],
        queue: 'slow',
        priority: -5,
      },
      ...{ catchup: 'all', catchupWindowMs: 7_200_000, overlap: 'skip', concurrency: { limit: 3, key: null, onConflict: 'queue' } },
      ...{ paused: true, description: 'what sold', retentionMs: 'forever', nextTickAt: null },
      schedules: [
        { slug: 'cron', cron: '0 9 * * MON', start: '2020-01-01T00:00:00.000Z', end: '2099-01-01T00:00:00.000Z', jitterMs: 5_000 },
        { slug: 'cron-2', cron: '0 12 * * SAT' },
      ],
    });
  });

  it('changes nothing when run again, says what changes, in the graph too', async () => {
    await deploy('daily-sales', '--cron', '0 0 * * *');
    expect((await deploy('daily-sales', '--cron', '0 0 * * *')).stdout).toContain('= unchanged  daily-sales');
    project.write(
      'flows/sales.ts',
      sales.replace("@Task({ needs: ['load'] }) async sum", "@Task() async rates() { return 2; }\n  @Task({ needs: ['rates'] }) async sum"),
    );
    const dry = await deploy('daily-sales', '--cron', '0 1 * * *', '--dry-run');
    expect(dry.stdout.split('\n').slice(0, 5)).toEqual([
      '~ changed  daily-sales  flow daily-sales, version 2',
      expect.stringMatching(/^ {2}flow version {2}\w+ → \w+$/),
      '  schedule cron  0 0 * * * → 0 1 * * *',
      '  task rates  + added',
      '  task sum  needs load → rates',
    ]);
    expect(await json('deployment', 'inspect', 'daily-sales')).toMatchObject({ version: 1, schedules: [{ cron: '0 0 * * *' }] });
    await deploy('daily-sales', '--cron', '0 1 * * *');
    expect(await json('deployment', 'versions', 'daily-sales')).toMatchObject([
      {
        version: 2,
        changes: [{ what: 'flow version' }, { what: 'schedule cron', before: '0 0 * * *', after: '0 1 * * *' }],
        graph: { added: ['rates'] },
      },
      { version: 1, changes: [], graph: null },
    ]);
  });

  it('keeps a pause made by hand, and resumes without making anything up', async () => {
    await deploy('daily-sales', '--cron', '*/10 * * * *', '--cron', '0 0 * * *');
    expect((await project.batuta('deployment', 'pause', 'daily-sales')).stdout).toBe('‖ paused  daily-sales\n');
    const again = await deploy('daily-sales', '--cron', '*/5 * * * *', '--cron', '0 0 * * *');
    expect(again.stdout).toContain('‖ paused: its schedules make no runs');
    expect(again.stderr).toContain('npx batuta deployment resume daily-sales');
    expect(await json('deployment', 'resume', 'daily-sales')).toMatchObject({ paused: false });
    const one = await json('deployment', 'pause', 'daily-sales', '--schedule', 'cron-2');
    expect(one.schedules.map(({ paused }: { paused: boolean }) => paused)).toEqual([false, true]);
  });
});

describe('batuta deploy with wrong input', () => {
  const shared = makeCliProject({ 'flows/sales.ts': sales });
  afterAll(() => shared.remove());

  it.each<[string, string[], string]>([
    ['no flow', [], 'error USAGE: Which flow?'],
    ['an unknown flow', ['daily-slaes'], "Did you mean 'daily-sales'?"],
    ['a wrong cron', ['daily-sales', '--cron', '0 25 * * *'], 'Field 2 (hour) of the cron expression'],
    ['an unknown zone', ['daily-sales', '--cron', '@daily', '--timezone', 'Europe/Lisbn'], "Did you mean 'Europe/Lisbon'"],
    ['an interval of 0', ['daily-sales', '--interval', '0'], 'must be longer than 0'],
    ['a negative interval', ['daily-sales', '--interval=-5m'], 'interval'],
    [
      'two kinds at once',
      ['daily-sales', '--cron', '@daily', '--interval', '1h'],
      'Give one of --cron, --interval and --rrule, not --cron and --interval.',
    ],
    ['an end before the start', ['daily-sales', '--cron', '@daily', '--start', '2026-01-02', '--end', '2026-01-01'], 'ends'],
    ['a zone without a schedule', ['daily-sales', '--timezone', 'UTC'], '--timezone has no effect without'],
    ['an anchor for a cron', ['daily-sales', '--cron', '@daily', '--anchor', '2026-01-01'], 'takes no anchor'],
    ['parameters that do not fit', ['daily-sales', '-p', 'region=mars'], 'error PARAMS_INVALID'],
    ['an unknown parameter', ['daily-sales', '-p', 'regoin=eu'], "Did you mean 'region'?"],
    ['parameters that are no JSON', ['daily-sales', '--params', '{'], 'error PARAMS_NOT_JSON'],
    ['a name that is none', ['daily-sales', '--name', 'a/b'], 'error NAME_INVALID'],
    ['an unknown overlap', ['daily-sales', '--overlap', 'skp'], "Did you mean 'skip'?"],
    ['an unknown catchup', ['daily-sales', '--catchup', 'some'], '--catchup'],
    ['a concurrency of 0', ['daily-sales', '--concurrency', '0'], '--concurrency must be a whole number from 1'],
    ['a priority out of bounds', ['daily-sales', '--priority', '101'], '--priority must be'],
    ['a queue that is no name', ['daily-sales', '--queue', 'a queue'], 'error NAME_INVALID'],
    ['--prune alone', ['daily-sales', '--prune'], '--prune goes with --all'],
    ['--all with a flow', ['daily-sales', '--all'], "leave 'daily-sales' out"],
    ['--all with a schedule', ['--all', '--cron', '@daily'], '--cron does not go with --all'],
    ['--all without a file', ['--all'], 'There is no batuta.config.ts here'],
  ])('given %s says so in one sentence with status 2', async (_what, args, message) => {
    const { status, stdout, stderr } = await shared.batuta('deploy', ...args);
    expect([status, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toContain(message);
  });

  it('has deployed nothing of all that', async () => {
    expect((await shared.batuta('deployment', 'ls', '--json')).stdout).toBe('[]\n');
  });
});

describe('batuta deploy --all', () => {
  const config = (deployments: string): string => `
import { defineConfig } from 'batuta';
import { DailySales } from './flows/sales.ts';
export default defineConfig({ deployments: [${deployments}] });
void DailySales;`;
  const both = `{ flow: DailySales, schedules: [{ slug: 'nightly', cron: '0 0 * * *' }] },
    { flow: 'daily-sales', name: 'sales-us', params: { region: 'us' }, schedules: [{ interval: '1 hour' }], concurrency: { limit: 1, key: '{region}' } }`;

  it('deploys what the configuration file declares, the same twice, and prunes what it no longer does', async () => {
    project.write('batuta.config.ts', config(both));
    const dry = await deploy('--all', '--dry-run');
    expect([dry.status, dry.stderr]).toEqual([0, '2 created; nothing was written (--dry-run).\n']);
    const first = await deploy('--all');
    expect(first.stderr).toBe('2 created.\n');
    const second = await deploy('--all');
    expect([second.stderr, second.stdout.match(/^= unchanged/gm)?.length]).toEqual(['2 unchanged.\n', 2]);
    await deploy('daily-sales', '--name', 'by-hand');
    project.write('batuta.config.ts', config(`{ flow: 'daily-sales', schedules: [{ slug: 'nightly', cron: '0 1 * * *' }] }`));
    const third = await deploy('--all', '--prune');
    expect(third.stdout).toContain('  schedule nightly  0 0 * * * → 0 1 * * *');
    expect(third.stdout).toContain('- deleted  sales-us');
    expect(third.stderr).toBe('1 changed, 1 deleted.\n');
    const listed = await json('deployment', 'ls');
    expect(listed.map(({ name, origin }: { name: string; origin: string }) => [name, origin])).toEqual([
      ['by-hand', 'command'],
      ['daily-sales', 'config'],
    ]);
  });

  it.each([{ args: [] as string[] }, { args: ['--json'] }])('says what it deployed when an alert is refused ($args)', async ({ args }) => {
    const alerts = `], alerts: [{ name: 'failures', on: 'failed', send: { slack: 'nowhere' } }`;
    project.write('batuta.config.ts', config(`{ flow: DailySales }${alerts}`));
    const { status, stdout, stderr } = await deploy('--all', ...args);
    expect(status).not.toBe(0);
    expect(stdout).toContain('daily-sales');
    expect(stderr).toContain('nowhere');
    expect((await json('deployment', 'ls')).map(({ name }: { name: string }) => name)).toEqual(['daily-sales']);
  });

  it.each([
    [`{ flow: 'daily-sales' }, { flow: 'daily-slaes' }`, "Did you mean 'daily-sales'?"],
    [`{ flow: 'daily-sales' }, { flow: 'daily-sales' }`, "Two deployments are called 'daily-sales'"],
    [
      `{ flow: 'daily-sales' }, { flow: 'daily-sales', name: 'b', schedule: [] } as never`,
      "there is no option 'schedule'. Did you mean 'schedules'?",
    ],
    [`{ flow: 'daily-sales' }, 7 as never`, 'deployments[1] must be an object'],
  ])('declared %s is refused as a whole', async (deployments, message) => {
    project.write('batuta.config.ts', config(deployments));
    const { status, stderr } = await deploy('--all');
    expect([status, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(message);
    expect(await json('deployment', 'ls')).toEqual([]);
  });
});

describe('batuta deployment', () => {
  it('lists, inspects, runs and deletes', async () => {
    expect((await project.batuta('deployment', 'ls')).stderr).toContain('No deployments yet');
    await deploy('daily-sales', '--cron', '0 0 * * *', '-p', 'days=7');
    const run = await json('deployment', 'run', 'daily-sales', '-p', 'region=us', '--tag', 'now');
    expect(run).toMatchObject({ flow: 'daily-sales', deployment: 'daily-sales', state: { name: 'Scheduled' }, tags: ['sales', 'now'] });
    const worker = project.start('worker');
    try {
      expect(await json('runs', 'watch', run.id)).toMatchObject({ result: 'us 8' });
      const watched = await project.batuta('deployment', 'run', 'daily-sales', '--watch', '--json');
      expect(JSON.parse(watched.stdout)).toMatchObject({ state: { type: 'COMPLETED' }, result: 'eu 8' });
    } finally {
      worker.child.kill('SIGTERM');
      await worker.finished;
    }
    const { stdout } = await project.batuta('deployment', 'ls');
    expect(stdout).toMatch(
      /^deployment +flow +schedule +next tick +last run\ndaily-sales +daily-sales +At 00:00, in UTC +in .* +✓ just now\n$/,
    );
    expect(await json('deployment', 'ls', '--search', 'nothing')).toEqual([]);
    const inspected = await json('deployment', 'inspect', 'daily-sales');
    expect(inspected).toMatchObject({ params: { region: 'eu', days: 7 }, runs: [{ tags: ['sales'] }, { tags: ['sales', 'now'] }] });
    expect(inspected.upcoming).toHaveLength(10);
    const shown = await project.batuta('deployment', 'inspect', 'daily-sales');
    for (const part of ['● active  daily-sales', "{ region: 'eu', days: 7 }", 'At 00:00, in UTC', 'newest runs'])
      expect(shown.stdout).toContain(part);
    expect((await project.batuta('deployment', 'delete', 'daily-sales', 'other')).status).toBe(2);
    expect(await json('deployment', 'ls')).toEqual([]);
    expect(await json('runs', 'ls', '--deployment', 'daily-sales')).toHaveLength(2);
  });

  it.each([
    [['inspect', 'daily-sale'], "There is no deployment 'daily-sale'. Did you mean 'daily-sales'?"],
    [['run', 'daily-sales', '-p', 'region=mars'], 'error PARAMS_INVALID'],
    [['pause', 'daily-sales', '--schedule', 'x'], "has no schedule 'x'"],
    [['versions', 'x'], "There is no deployment 'x'"],
    [['ls', '--limit', '0'], '--limit must be'],
  ])('%j is refused with one sentence and status 2', async (args, message) => {
    if (args.includes('daily-sale') || args.includes('daily-sales')) await deploy('daily-sales', '--cron', '0 0 * * *');
    const { status, stderr } = await project.batuta('deployment', ...args);
    expect([status, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(message);
  });
});
