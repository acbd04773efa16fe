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
  const { open, command, submit, faults, accessFaults } = useDashboard('one SQLite file', flows, async () => undefined);

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
});
