/** A program that runs elsewhere and reports: what the command line and the dashboard of the server say of it and of its runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliProject, makeCliProject } from './cli-project.ts';
import { row, state } from './dashboard-page.ts';
import { useDashboard } from './dashboard-place.ts';

const meter = `
import { existsSync, writeFileSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';
@Flow() export class Meter {
  @Task() async read(ctx: TaskContext) {
    ctx.log.info('the meter answers');
    writeFileSync('pid', String(process.pid));
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 50));
    return 230;
  }
}`;
const here = `
import { Flow, Task } from 'batuta';
@Flow() export class Here { @Task() async one() { return 1; } }`;

describe('a program that reports', () => {
  const { url, open, visit, command, createKey, faults, accessFaults } = useDashboard('one SQLite file', here);
  let elsewhere: CliProject;
  beforeAll(() => {
    elsewhere = makeCliProject({ 'flows/meter.ts': meter, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  });
  afterAll(() => elsewhere.remove());

  it('is listed with name, version, place and health by the command line and the dashboard, and its run says where it runs', async () => {
    expect(JSON.parse(await command('reporter', 'ls', '--json'))).toEqual([]);
    const [reporter, viewer] = [await createKey('edge', 'reporter'), await createKey('onlooker', 'viewer')];
    const env = {
      ...{ BATUTA_REPORT_URL: url(), BATUTA_REPORT_KEY: reporter },
      ...{ BATUTA_REPORT_NAME: 'edge', BATUTA_REPORT_VERSION: '1.4.0' },
    };
    const running = elsewhere.startWith(env, 'run', 'meter', '--name', 'far-one');
    const listed = async () => JSON.parse(await command('reporter', 'ls', '--json')) as readonly Record<string, unknown>[];
    await expect.poll(listed).toMatchObject([{ name: 'edge', version: '1.4.0', state: 'reporting', openRuns: 1, dropped: 0 }]);
    const pid = readFileSync(join(elsewhere.path, 'pid'), 'utf8');
    expect(await command('reporter', 'ls')).toMatch(new RegExp(`edge +1\\.4\\.0 +reporting +\\S+ \\(${pid}\\) +1 `));

    const page = await open('/workers');
    await page.getByLabel('API key').fill(viewer);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Reports from elsewhere' }).waitFor();
    expect(await row(page, 'edge').innerText()).toMatch(new RegExp(`edge[\\s\\S]+1\\.4\\.0[\\s\\S]+1[\\s\\S]+:${pid}`));
    expect(await accessFaults(page)).toEqual([]);
    await visit(page, '/runs');
    await row(page, 'far-one').getByRole('link').first().click();
    await state(page, 'Running').waitFor();
    await page.getByText(new RegExp(`edge 1\\.4\\.0, \\S+:${pid}`)).waitFor();

    elsewhere.write('go', '');
    expect((await running.finished).status).toBe(0);
    await state(page, 'Completed').waitFor();
    expect(await listed()).toMatchObject([{ state: 'stopped', openRuns: 0, waitingItems: 0 }]);
    expect(await command('reporter', 'ls')).toMatch(/edge +1\.4\.0 +stopped/);
    await visit(page, '/workers');
    await row(page, 'edge').getByText('stopped').waitFor();
    expect(faults('401')).toEqual([]);
  });
});
