/** Rules of alerts made, changed, tried, switched off, silenced and deleted in a real browser, by every role. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { openReceiver, type Receiver } from '../support/alerts.ts';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
@Flow() export class Counts {
  static readonly params = z.object({ rows: z.number() });
  @Task() async count({ metrics, params }: TaskContext<{ rows: number }>): Promise<void> { metrics.set('rows', params.rows); }
}`;

let receiver: Receiver;
afterAll(() => receiver.close());

describe('rules of alerts', { timeout: 180_000 }, () => {
  const { open, command, createKey, faults, accessFaults, url } = useDashboard(
    'one SQLite file',
    flows,
    async ({ command: run }) => {
      receiver = await openReceiver();
      await run('deploy', 'counts', '--name', 'nightly', '-p', 'rows=1');
      await run('deploy', 'counts', '--name', 'cleanup', '-p', 'rows=1');
    },
    { BATUTA_SECRET_KEY: randomBytes(32).toString('hex'), BATUTA_ALERT_HOSTS: '127.0.0.1' },
  );

  it('are made with a metric and a reaction; what is wrong stands at its field; a filled form is not lost', async () => {
    const page = await open('/alerts?tab=rules');
    await page.getByText('No rules').waitFor();
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('button', { name: 'Save' }).click();
    const name = form.getByRole('textbox', { name: 'Name' });
    await page.locator('[aria-invalid="true"]:focus').waitFor();
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    await name.fill('1 rows');
    await form.getByRole('combobox', { name: 'When' }).click();
    await page.getByRole('option', { name: 'a metric of a task is out of bounds' }).click();
    await form.getByRole('textbox', { name: 'Metric' }).fill('rows');
    await form.getByRole('textbox', { name: 'Below' }).fill('1');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('"1 rows" is not a valid name for an alert').waitFor();
    await name.fill('rows');
    await form.getByRole('button', { name: 'Add an action' }).click();
    await page.getByRole('menuitem', { name: 'Run a deployment' }).click();
    await form.getByRole('combobox', { name: 'Deployment', exact: true }).fill('cleanup');
    await form.getByRole('textbox', { name: 'Parameters' }).fill('{ "rows": 7 }');
    await form.getByRole('button', { name: 'Add an action' }).click();
    await page.getByRole('menuitem', { name: 'Webhook' }).click();
    await form.getByRole('textbox', { name: 'Address' }).fill(receiver.url);
    await form.getByRole('combobox', { name: 'Signed with' }).fill('nowhere');
    expect(await accessFaults(page)).toEqual([]);
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText("There is no secret 'nowhere'").waitFor();
    await name.focus();
    await page.keyboard.press('Escape');
    await form.getByText('What you typed is lost when this closes.').waitFor();
    await form.getByRole('button', { name: 'Keep editing' }).click();
    await form.getByRole('combobox', { name: 'Signed with' }).fill('');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /rows.*rows is below 1.*run cleanup, webhook http.*hand/ }).waitFor();
    await command('runs', 'submit', 'counts', '-p', 'rows=0');
    await page.getByRole('button', { name: 'rows', exact: true }).click();
    await page.getByRole('row', { name: /fired counts .*run cleanup sent 1 run / }).waitFor();
    await page.getByRole('row', { name: /fired counts .*webhook .* sent 1 200 ok/ }).waitFor();
    expect(receiver.taken.map(({ json }) => json.data.rule)).toEqual(['rows']);
    expect(await accessFaults(page)).toEqual([]);
    expect(faults('400').filter((fault) => !fault.includes('404'))).toEqual([]);
  });

  it('are tried, with each attempt; changed; switched off and on; silenced; and deleted', async () => {
    const page = await open('/alerts?tab=rules');
    receiver.answer = 503;
    await page.getByRole('button', { name: 'Test rows' }).click();
    const tried = page.getByRole('row', { name: /test .*webhook .* pending ([2-9]) 503 ok/ });
    await tried.waitFor();
    await tried.getByRole('button').click();
    await page
      .getByRole('list', { name: /Attempts to send it to webhook/ })
      .getByText('503 ok')
      .first()
      .waitFor();
    receiver.answer = 200;
    await page.getByRole('row', { name: /test .*webhook .* sent .* 200 ok/ }).waitFor();
    expect(page.url()).toContain('rule=rows');

    await page.getByRole('button', { name: 'Change rows' }).first().click();
    const form = page.getByRole('dialog');
    expect(await form.getByRole('textbox', { name: 'Below' }).inputValue()).toBe('1');
    expect(JSON.parse(await form.getByRole('textbox', { name: 'Parameters' }).inputValue())).toEqual({ rows: 7 });
    await form.getByRole('button', { name: 'Remove Run a deployment' }).click();
    await page.keyboard.press('Escape');
    await form.getByRole('button', { name: 'Keep editing' }).click();
    await form.getByRole('textbox', { name: 'Above' }).fill('100');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /rows.*rows is above 100 or below 1.*webhook/ }).waitFor();

    await page.getByRole('button', { name: 'Pause rows' }).first().click();
    await page.getByRole('row', { name: /^rows paused/ }).waitFor();
    await page.getByRole('button', { name: 'Resume rows' }).first().click();
    await page.getByRole('row', { name: /^rows paused/ }).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await form.getByRole('textbox', { name: 'For how long' }).fill('for ever');
    await form.getByRole('button', { name: 'Silence', exact: true }).click();
    await form.getByText('for ever').waitFor();
    await form.getByRole('textbox', { name: 'For how long' }).fill('2h');
    await form.getByRole('textbox', { name: 'Reason' }).fill('migration');
    await form.getByRole('button', { name: 'Silence', exact: true }).click();
    await page
      .getByRole('row', { name: /All rules .* migration/ })
      .getByRole('button', { name: 'End it' })
      .click();
    await page.getByText('Nothing is silenced').waitFor();

    await page.getByRole('button', { name: 'Delete rows' }).first().click();
    await form.getByRole('button', { name: 'Delete rule rows' }).click();
    await page.getByText('No rules').waitFor();
    expect(faults('400')).toEqual([]);
  });

  it('of a configuration file are read, tried and paused here, and say where they stand; viewers only look', async () => {
    const declared = { on: 'failed', send: { webhook: `${receiver.url}?key=plant3d` }, origin: 'config', declaredIn: 'batuta.config.ts' };
    const put = await fetch(`${url()}/api/alert-rules/declared`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(declared),
    });
    expect(put.status).toBe(200);
    const page = await open('/alerts?tab=rules&rule=declared');
    await page.getByText('Declared in').waitFor();
    const change = page.getByRole('button', { name: 'Change declared' }).first();
    await change.hover();
    await page.getByText('It is declared in batuta.config.ts: change it there, then deploy.').first().waitFor();
    expect(await change.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('row', { name: /declared a run failed .* batuta\.config\.ts/ }).waitFor();
    await page.close();
    await createKey('ada', 'admin');
    const [viewer, operator] = [await createKey('eve', 'viewer'), await createKey('op', 'operator')];
    for (const [key, mayTest] of [
      [viewer, false],
      [operator, true],
    ] as const) {
      const theirs = await open('/login');
      await theirs.context().request.post(`${url()}/api/login`, { data: { key }, headers: { origin: url() } });
      await theirs.goto(`${url()}/alerts?tab=rules`);
      await theirs.getByRole('row', { name: /declared.*\/\*\*\*/ }).waitFor();
      expect(await theirs.content()).not.toContain('plant3d');
      const disabled = (name: string) => theirs.getByRole('button', { name }).first().getAttribute('aria-disabled');
      expect([await disabled('Add a rule'), await disabled('Delete declared'), await disabled('Change declared')]).toEqual([
        'true',
        'true',
        'true',
      ]);
      expect([await disabled('Test declared'), await disabled('Pause declared')]).toEqual(mayTest ? [null, null] : ['true', 'true']);
    }
    expect(faults('401')).toEqual([]);
  });
});
