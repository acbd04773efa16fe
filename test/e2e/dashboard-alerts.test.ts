/** Alerts, errors and rules in a real browser, and the same by commands. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
@Flow() export class Breaks {
  static readonly params = z.object({ id: z.number() });
  @Task() async load({ params }: TaskContext<{ id: number }>): Promise<void> { throw new RangeError('customer ' + params.id + ' is unknown'); }
}`;

describe('alerts', { timeout: 180_000 }, () => {
  const { open, command, faults, accessFaults } = useDashboard('one SQLite file', flows, async () => undefined, {
    BATUTA_SECRET_KEY: randomBytes(32).toString('hex'),
  });

  it('are made, found, sent and resolved; errors are resolved, and come again', async () => {
    await command('alerts', 'add', 'failures', '--on', 'failed', '--webhook', 'http://127.0.0.1:9/x', '--repeat', '0s');
    const page = await open('/alerts');
    await page.getByText('Nothing fires').waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Rules and silences' }).click();
    await page.getByRole('row', { name: /failures.*a run failed.*webhook http:\/\/127\.0\.0\.1:9\/x.*hand/ }).waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Name' }).fill('slow');
    await form.getByRole('combobox', { name: 'When' }).click();
    await page.getByRole('option', { name: 'a run takes longer than', exact: true }).click();
    await form.getByRole('textbox', { name: 'How long' }).fill('10m');
    await form.getByRole('button', { name: 'Add an action' }).click();
    await page.getByRole('menuitem', { name: 'E-mail' }).click();
    await form.getByRole('combobox', { name: 'To' }).fill('a@example.com, b@example.com');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /slow.*a run takes longer than.*email a@example\.com, b@example\.com/ }).waitFor();
    await command('runs', 'submit', 'breaks', '-p', 'id=1');
    await page.getByRole('tab', { name: 'Alerts' }).click();
    const row = page.getByRole('row', { name: /firing failures breaks.*RangeError in load/ });
    await row.waitFor();
    await row.getByRole('button', { name: 'failures' }).click();
    await page
      .getByRole('row', { name: /fired.*webhook http:\/\/127\.0\.0\.1:9\/x failed 1 127\.0\.0\.1 is at 127\.0\.0\.1, which is private/ })
      .waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Silence for 2 h' }).click();
    await page.getByRole('button', { name: 'Resolve' }).click();
    await page.getByText('Nothing fires').waitFor();
    await page.getByRole('tab', { name: 'Errors' }).click();
    const error = page.getByRole('row', { name: /RangeError in load: customer 1 is unknown.*breaks 1/ });
    await error.waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await error.getByRole('button', { name: 'Resolve' }).click();
    await page.getByText('No open errors').waitFor();
    await command('runs', 'submit', 'breaks', '-p', 'id=22');
    await page.getByRole('row', { name: /customer 22 is unknown.*breaks 2.*came again/ }).waitFor();
    await page.getByRole('tab', { name: 'Rules and silences' }).click();
    const silence = page.getByRole('row', { name: /failures · breaks.*local/ });
    await silence.getByRole('button', { name: 'End it' }).click();
    await silence.waitFor({ state: 'detached' });
    expect(faults()).toEqual([]);
  });
});
