/** The pages of flows and deployments in a real browser: forms, schedules, backfills. */
import { describe, expect, it } from 'vitest';
import { state } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';
import { deployNightly, shop } from './dashboard-shop.ts';

describe.each(placeNames)('flows and deployments on %s', (on) => {
  const { open, command, leave, faults } = useDashboard(on, shop, deployNightly);

  it('says at the field what the server refuses, and keeps what was written', async () => {
    const page = await open('/flows/orders');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'customer' }).fill('x');
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await expect.poll(() => dialog.getByRole('textbox', { name: 'customer' }).getAttribute('aria-invalid')).toBe('true');
    await dialog.getByText('JSON', { exact: true }).first().click();
    expect(await dialog.getByRole('textbox', { name: 'Parameters' }).inputValue()).toContain('"customer": "x"');
    // The browser itself notes the refusal.
    expect(faults('status of 400')).toEqual([]);
  });

  it('asks before Escape throws a filled form away, and keeps what was typed', async () => {
    const page = await open('/flows/orders');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'customer' }).fill('Ada');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Keep editing' }).click();
    expect(await dialog.getByRole('textbox', { name: 'customer' }).inputValue()).toBe('Ada');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(faults()).toEqual([]);
  });

  it('has the states of the filter chosen by keyboard', async () => {
    const page = await open('/runs?last=all');
    await page.getByRole('button', { name: 'State: any' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('input[type=checkbox]:focus').waitFor();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'State: Failed' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('button:focus', { hasText: 'Failed' }).waitFor();
    expect(faults()).toEqual([]);
  });

  it('says how often each task of a flow ran and failed, and how long it took, by the process that executed it', async () => {
    leave('mended');
    await command('runs', 'submit', 'fragile', '--watch');
    const page = await open('/flows/fragile');
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Tasks by process' }) });
    await panel.getByRole('row').nth(1).waitFor();
    expect(await panel.getByRole('row').nth(1).getByRole('cell').first().innerText()).toBe('first');
    expect(await panel.getByRole('columnheader').allInnerTexts()).toEqual(['Task', 'Process', 'Mean, compared', 'Mean', 'Ran', 'Failed']);
    expect(await panel.getByText(/process \d+/).count()).toBeGreaterThan(0);
    expect(faults()).toEqual([]);
  });

  it('says what a deployment runs and when, pauses and resumes it, and runs it now', async () => {
    leave('go');
    const page = await open('/deployments');
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.getByText('Every day at 02:30 Lisbon, runs may overlap.').waitFor();
    await expect.poll(() => page.getByRole('listitem').filter({ hasText: '02:30' }).count()).toBe(10);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('dialog').getByText('make no runs until it is resumed').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause nightly' }).click();
    await page.getByText('Paused since').waitFor();
    expect(JSON.parse(await command('deployment', 'inspect', 'nightly', '--json'))).toMatchObject({ pausedAt: expect.any(String) });
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume nightly' }).click();
    await expect.poll(() => page.getByText('Paused since').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause cron' }).click();
    await page.getByRole('button', { name: 'Resume cron' }).click();
    await page.getByRole('button', { name: 'Pause cron' }).waitFor();

    await page.getByRole('button', { name: 'Run now' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('textbox', { name: 'customer' }).inputValue()).toBe('Ann');
    await dialog.getByRole('switch', { name: 'Refresh cache' }).check();
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await state(page, 'Completed').waitFor();
    await page.getByRole('link', { name: 'nightly' }).waitFor();
    await page.getByText('makes cached values anew').waitFor();
    expect(faults()).toEqual([]);
  });

  it('shows how many runs a backfill makes before it makes them, and how far it is', async () => {
    leave('go');
    const page = await open('/deployments/nightly');
    await page.getByRole('button', { name: 'Backfill' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('7 runs, the first for').waitFor();
    await dialog.getByRole('button', { name: 'Make 7 runs' }).click();
    await page.getByText('7 of 7 runs, done').waitFor();
    await page.getByRole('link', { name: 'Runs', exact: true }).last().click();
    await page.waitForURL(/backfill=/);
    expect(faults()).toEqual([]);
  });
});
