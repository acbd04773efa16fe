/** Secrets, variables and connections in a real browser: set, changed and deleted by admins; values of secrets go in and never come out. */
import { describe, expect, it } from 'vitest';
import { findEnabled, row } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task } from 'batuta';
@Flow() export class Says {
  @Task() async say() { return 1; }
}`;

const value = 'sk_live_planted_value';

describe.each(placeNames)('secrets on %s', (on) => {
  const dashboard = useDashboard(on, flows, undefined, { BATUTA_SECRET_KEY: 'ab'.repeat(32) });
  const { open, visit, command, createKey, faults, accessFaults } = dashboard;

  it('takes a secret into a password field, and gives it to no page and no answer again', async () => {
    const page = await open('/secrets');
    const answers: string[] = [];
    page.on(
      'response',
      (response) =>
        void response.text().then(
          (text) => answers.push(text),
          () => undefined,
        ),
    );
    await page.getByRole('button', { name: 'Add a secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('stripe-key');
    await dialog.getByRole('textbox', { name: 'Description' }).fill('For payments');
    const field = dialog.getByLabel('Value', { exact: true });
    expect(await field.getAttribute('type')).toBe('password');
    await field.fill(value);
    expect(await accessFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'stripe-key').getByText('by local').waitFor();
    await row(page, 'stripe-key').getByText('For payments').waitFor();
    await row(page, 'stripe-key').getByRole('button', { name: 'Set' }).click();
    expect(await page.getByRole('dialog').getByLabel('Value', { exact: true }).inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    await page.getByRole('button', { name: 'Rotate all secrets' }).click();
    await page.getByText('had it already. The old key is not needed any more.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    expect(answers.length).toBeGreaterThan(2);
    expect(answers.filter((text) => text.includes(value))).toEqual([]);
    expect(await page.content()).not.toContain(value);
    expect(await command('secret', 'get', 'stripe-key')).toContain('stripe-key');
    expect(faults()).toEqual([]);
  });

  it('sets a reference, and deletes it once that is confirmed', async () => {
    const page = await open('/secrets');
    await page.getByRole('button', { name: 'Add a secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('mail-key');
    await dialog.getByText('Kept elsewhere').click();
    await dialog.getByLabel('Value: reference').fill('env:MAIL_KEY');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'mail-key').getByText('env:MAIL_KEY').waitFor();
    await row(page, 'mail-key').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete the secret mail-key' }).click();
    await row(page, 'mail-key').waitFor({ state: 'detached' });
    expect(await command('secret', 'ls')).not.toContain('mail-key');
    expect(faults()).toEqual([]);
  });

  it('keeps the dialog open with what the server says against it', async () => {
    const page = await open('/secrets');
    await page.getByRole('button', { name: 'Add a secret' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('9 lives');
    await dialog.getByLabel('Value', { exact: true }).fill(value);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText('is not a valid name for a secret').waitFor();
    expect(faults('status of 400')).toEqual([]);
  });

  it('shows a variable as it is and changes it', async () => {
    await command('variable', 'set', 'batch-size', '500');
    const page = await open('/secrets?tab=variables');
    await row(page, 'batch-size').getByText('500').waitFor();
    await row(page, 'batch-size').getByRole('button', { name: 'Change' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Value' }).fill('{"small": 5');
    await expect.poll(() => dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Value' }).fill('{"small": 5}');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'batch-size').getByText('{"small":5}').waitFor();
    await row(page, 'batch-size').getByText('by local').waitFor();
    expect(await command('variable', 'get', 'batch-size', '--json')).toContain('"small": 5');
    expect(faults()).toEqual([]);
  });

  it('asks for the fields of a kind of connection, and leaves a secret field alone that is not typed in', async () => {
    const page = await open('/secrets?tab=connections');
    await page.getByRole('button', { name: 'Add a connection' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('warehouse');
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    for (const [field, text] of [
      ['host', 'db.internal'],
      ['database', 'shop'],
      ['user', 'etl'],
    ] as const)
      await dialog.getByRole('textbox', { name: field }).fill(text);
    const password = dialog.getByLabel('password', { exact: true });
    expect(await password.getAttribute('type')).toBe('password');
    await password.fill(value);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'warehouse').getByText('host db.internal').waitFor();

    await row(page, 'warehouse').getByRole('button', { name: 'Change' }).click();
    expect(await dialog.getByLabel('password', { exact: true }).inputValue()).toBe('');
    await dialog.getByRole('textbox', { name: 'host' }).fill('db2.internal');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'warehouse').getByText('host db2.internal').waitFor();
    await row(page, 'warehouse').getByText('password set').waitFor();
    expect(await page.content()).not.toContain(value);

    await page.getByRole('button', { name: 'Add a connection' }).click();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('ledger');
    await dialog
      .getByRole('combobox', { name: 'Kind' })
      .or(dialog.getByRole('textbox', { name: 'Kind' }))
      .click();
    await page.getByRole('option', { name: 'generic' }).click();
    await dialog.getByRole('textbox', { name: 'fields' }).fill('{"url": "ledger://a"}');
    await dialog.getByRole('button', { name: 'Add a secret field' }).click();
    await dialog.getByRole('textbox', { name: 'Name of the secret field' }).fill('pin');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.getByLabel('pin', { exact: true }).fill(value);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row(page, 'ledger').getByText('pin set').waitFor();
    expect(faults()).toEqual([]);
  });

  it('shows viewers names alone, with no action enabled', async () => {
    await command('secret', 'set', 'bank-key', '--ref', 'env:WHERE_IT_IS');
    await command('connection', 'set', 'crm', '--kind', 'http', '-f', 'baseUrl=https://crm.where.example');
    const key = await createKey('onlooker', 'viewer');
    const page = await open('/secrets');
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'bank-key').waitFor();
    expect(await page.content()).not.toContain('WHERE_IT_IS');
    expect(await findEnabled(page, ['Add a secret', 'Set', 'Delete'])).toEqual([]);
    await visit(page, '/secrets?tab=connections');
    await row(page, 'crm').waitFor();
    expect(await page.content()).not.toContain('crm.where.example');
    expect(await findEnabled(page, ['Add a connection', 'Change', 'Delete'])).toEqual([]);
    expect(faults('status of 401')).toEqual([]);
  });
});
