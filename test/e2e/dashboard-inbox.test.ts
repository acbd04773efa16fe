/** The inbox in a real browser. */
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, type FlowContext } from 'batuta';
import { z } from 'zod';
@Flow() export class Publishes {
  async run(_: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('publish', { title: 'Publish <b>June</b>?', description: 'Two\\nlines', timeout: '3 days' });
  }
}
@Flow() export class Pays {
  async run(_: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('pay', { title: 'How much is to be paid?', schema: z.object({ euros: z.number().int().max(100) }) });
  }
}`;

describe('the inbox', () => {
  const { open, command, submit, createKey, faults, accessFaults } = useDashboard('one SQLite file', flows, async () => undefined, {
    BATUTA_SECRET_KEY: 'ab'.repeat(32),
  });

  it('shows what is to be decided, takes a yes with a comment, and says on the page of the run who has decided', async () => {
    const id = await submit('publishes');
    const page = await open('/inbox');
    await page.getByText('Publish <b>June</b>?').waitFor();
    await page.getByRole('button', { name: 'Decide' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Comment' }).fill('go ahead');
    expect(await accessFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Nothing is to be decided').waitFor();
    const run = await open(`/runs/${id}`);
    const decisions = run.getByRole('region', { name: 'Decisions' });
    await decisions.getByText('{"approved":true,"comment":"go ahead"}').waitFor();
    expect(await decisions.getByRole('row').nth(1).innerText()).toContain('local in the dashboard');
    expect(faults()).toEqual([]);
  });

  it('makes a form of the schema, says at the field what is refused, and the command line sees the same', async () => {
    const id = await submit('pays');
    const page = await open('/inbox');
    await page
      .getByRole('row', { name: /How much/ })
      .getByRole('button', { name: 'Decide' })
      .click();
    const euros = page.getByRole('dialog').getByRole('textbox', { name: 'euros' });
    await euros.fill('101');
    await page.getByRole('dialog').getByRole('button', { name: 'Decide' }).click();
    await expect.poll(() => euros.getAttribute('aria-invalid')).toBe('true');
    expect(await command('inbox', 'show', id)).toContain('How much is to be paid?');
    expect(await command('inbox', 'decide', id, '--data', '{"euros":7}')).toContain("Decided 'How much is to be paid?'");
    expect(JSON.parse(await command('inbox', 'ls', '--json'))).toEqual([]);
    expect(JSON.parse(await command('inbox', 'ls', '--status', 'decided', '--run', id, '--json'))).toMatchObject([
      { data: { json: { euros: 7 } }, decidedBy: 'local' },
    ]);
    await page.getByText('Nothing is to be decided').waitFor();
    expect(faults('status of 400')).toEqual([]);
  });

  /** A run that waits, and the path of a link that approves it. */
  async function linked(...options: string[]): Promise<{ readonly id: string; readonly path: string }> {
    const id = await submit('publishes');
    const page = await open('/inbox');
    await page.getByText('Publish <b>June</b>?').waitFor();
    return { id, path: new URL((await command('inbox', 'link', id, '--approve', ...options)).trim()).pathname };
  }
  const decided = async (id: string): Promise<unknown> =>
    JSON.parse(await command('inbox', 'ls', '--status', 'decided', '--run', id, '--json'));

  it('is decided by the button on the page of a link', async () => {
    const { id, path } = await linked();
    const page = await open(path);
    await page.getByRole('button', { name: 'Confirm this decision' }).click();
    await page.getByText('“Publish <b>June</b>?” is decided.').waitFor();
    expect(await decided(id)).toMatchObject([{ decidedVia: 'link', data: { json: { approved: true } } }]);
    expect(faults()).toEqual([]);
  });

  it('is decided by the person a link is for, whom a page of another site has led there', async () => {
    const { id, path } = await linked('--for', 'ada');
    const page = await open('/inbox');
    const link = new URL(path, page.url()).href;
    const key = await createKey('ada', 'operator');
    await page.reload();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Publish <b>June</b>?').waitFor();
    await page.goto(`data:text/html,<a href="${link}">Decide</a>`);
    await page.getByRole('link').click();
    await page.getByRole('button', { name: 'Confirm this decision' }).click();
    await page.getByText('“Publish <b>June</b>?” is decided.').waitFor();
    expect(await decided(id)).toMatchObject([{ decidedBy: 'ada', decidedVia: 'link' }]);
  });
});
