/** Rates on the page of limits, in a real browser. */
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task } from 'batuta';
@Flow() export class Calls {
  @Task({ tags: ['api'] }) call(): string { return 'called'; }
}
@Flow({ rateLimit: { limit: 3, per: '1h', key: '{who}' } }) export class Syncs {
  @Task() sync(): string { return 'done'; }
}
@Flow() export class Asks {
  @Task({ tags: ['a', 'a:b'] }) ask(): string { return 'asked'; }
}`;

describe('a rate on the page of limits', () => {
  const { open, command, submit, faults, accessFaults } = useDashboard('one SQLite file', flows);
  const stateOf = async (id: string): Promise<string> =>
    (JSON.parse(await command('runs', 'inspect', id, '--json')) as { readonly state: { readonly name: string } }).state.name;
  const completes = async (id: string): Promise<void> => {
    await expect.poll(() => stateOf(id), { timeout: 20_000 }).toBe('Completed');
  };

  it('is added by the form, shown full with who waits until when, and raised by the form, which lets them go on', async () => {
    const page = await open('/limits');
    await page.getByRole('button', { name: 'Add a limit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Tag of the tasks' }).fill('api');
    await dialog.getByRole('textbox', { name: 'Window' }).fill('often');
    await dialog.getByRole('button', { name: 'Set tag:api to 1 in often' }).click();
    await dialog.getByText(/per of rateLimit/).waitFor();
    await dialog.getByRole('textbox', { name: 'Window' }).fill('60m');
    await dialog.getByRole('button', { name: 'Set tag:api to 1 in 60m' }).click();
    const row = page.getByRole('listitem').filter({ hasText: 'tag:api' });
    await row.getByText('0/1').waitFor();
    await row.getByText('per 1 h').waitFor();

    const [first, second] = [await submit('calls'), await submit('calls')];
    await row.getByText('1/1').waitFor({ timeout: 30_000 });
    await row.getByText('1 waiting').waitFor({ timeout: 30_000 });
    await row.getByText(/room again in (59 min|1 h)/).waitFor();
    await row.getByText(/goes on in (59 min|1 h)/).waitFor();
    expect([await stateOf(first), await stateOf(second)].filter((name) => name === 'Completed')).toHaveLength(1);
    expect(await accessFaults(page)).toEqual([]);

    await row.getByRole('button', { name: 'Change' }).click();
    expect(await dialog.getByRole('textbox', { name: 'Window' }).inputValue()).toBe('1h');
    await dialog.getByRole('textbox', { name: 'Starts' }).fill('2');
    await dialog.getByRole('button', { name: 'Set tag:api to 2 in 1h' }).click();
    await completes(first);
    await completes(second);
    await row.getByText('2/2').waitFor({ timeout: 30_000 });
    await row.getByText('none waiting').waitFor({ timeout: 30_000 });

    await row.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the rate tag:api' }).click();
    await expect.poll(() => row.count()).toBe(0);
    expect(faults('status of 400')).toEqual([]);
  });

  it('of a flow is shown with each value of its key, and is changed where it is declared', async () => {
    await completes(await submit('syncs', '--params', '{"who":"acme"}'));
    const page = await open('/limits');
    const row = (name: string) => page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
    await row('flow:syncs').getByText('per 1 h, for each {who}').waitFor();
    await row('flow:syncs:acme').getByText('1/3').waitFor();
    await row('flow:syncs').getByRole('button', { name: 'Change' }).hover();
    await page.getByText('A flow or deployment declares this limit; change it there.').waitFor();
    expect(faults()).toEqual([]);
  });

  it('with the name of a value of the key of another is shown beside it', async () => {
    await command('limit', 'set', 'tag:a', '5', '--per', '1h', '--key', '{who}');
    await command('limit', 'set', 'tag:a:b', '7', '--per', '1h');
    await completes(await submit('asks', '--params', '{"who":"b"}'));
    const page = await open('/limits');
    const rows = page.getByRole('listitem').filter({ has: page.getByText('tag:a:b', { exact: true }) });
    await rows.getByText('1/5').waitFor();
    await rows.getByText('1/7').waitFor();
    expect(await rows.count()).toBe(2);
    // Two of one key would have been told in the console.
    expect(faults()).toEqual([]);
  });
});
