/** Whoever looks at the dashboard: by keyboard, on a phone, with a reader of screens, with a key that may only look. */
import { describe, expect, it } from 'vitest';
import { findEnabled, row, state } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';
import { deployNightly, shop } from './dashboard-shop.ts';

const lists = [
  ...['/', '/runs', '/workers', '/limits', '/cache', '/artifacts', '/settings', '/settings?tab=audit', '/settings?tab=values'],
  ...['/secrets', '/secrets?tab=variables', '/secrets?tab=connections'],
];
const flowPages = ['/flows', '/flows/orders', '/deployments', '/deployments/nightly'];

/** Every page there is: the lists, all tabs of this run, its panel, flows and deployments. */
function everyPage(id: string): readonly string[] {
  const tabs = ['graph', 'timeline', 'logs', 'tasks', 'values', 'artifacts', 'history'];
  return [...lists, ...tabs.map((name) => `/runs/${id}?tab=${name}`), `/runs/${id}?task=pack`, ...flowPages];
}

// All pages in one test: it takes as long as they are many.
describe.each(placeNames)('every page on %s', { timeout: 180_000 }, (on) => {
  const { open, visit, submit, createKey, leave, faults, accessFaults } = useDashboard(on, shop, async (dashboard) => {
    await deployNightly(dashboard);
    await dashboard.command('limit', 'set', 'tag:printer', '2');
  });

  // Where the data come from changes no colour and no width: dark pages and narrow ones are looked at in one place.
  const schemes = on === placeNames[0] ? (['light', 'dark'] as const) : (['light'] as const);
  it(`has no serious fault of access, and asks nothing beyond its origin, in ${schemes.join(' and in ')}`, async () => {
    leave('go');
    const [id, failed] = await Promise.all([submit('orders', '-p', 'customer=Dan'), submit('fragile')]);
    const page = await open(`/runs/${failed}?task=second`, { colorScheme: 'light', reducedMotion: 'reduce' });
    const expectNoFaults = async (path: string): Promise<void> => {
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
        expect([path, colorScheme, await accessFaults(page)]).toEqual([path, colorScheme, []]);
      }
    };
    await state(page, 'Failed').waitFor();
    await expectNoFaults('a failed run');
    await visit(page, `/runs/${id}`);
    await state(page, 'Completed').waitFor();
    for (const path of everyPage(id)) {
      await visit(page, path);
      await expectNoFaults(path);
    }
    await page.getByRole('button', { name: 'Run now' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'customer' }).waitFor();
    await expectNoFaults('the form of a run');
    expect(faults()).toEqual([]);
  });

  const inOnePlace = on === placeNames[0] ? it : null;
  inOnePlace?.('fits a phone: nothing is wider than the screen', async () => {
    leave('go');
    const id = await submit('orders', '-p', 'customer=Eve', '-p', 'count=200');
    const page = await open(`/runs/${id}`, { viewport: { width: 390, height: 844 } });
    await state(page, 'Completed').waitFor();
    for (const path of everyPage(id)) {
      await visit(page, path);
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 390]);
    }
    expect(faults()).toEqual([]);
  });

  it('works by keyboard: goes to places, lists its keys, opens a run', async () => {
    leave('go');
    await submit('orders', '-p', 'customer=Bea', '--name', 'calm-one');
    const page = await open('/');
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await row(page, 'calm-one').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Deployments').waitFor();
    await page.keyboard.press('Escape');
    await row(page, 'calm-one').getByRole('link').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    expect(faults()).toEqual([]);
  });

  it('shows the first key once, and its maker goes on with it as admin', async () => {
    const page = await open('/settings');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill('boss');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page
      .getByRole('dialog')
      .getByText(/^batuta_/)
      .waitFor();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await row(page, 'boss').getByRole('button', { name: 'Revoke' }).waitFor();
    expect(await page.getByText(/^batuta_/).count()).toBe(0);
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill('short-lived');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await row(page, 'short-lived').getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke the key short-lived' }).click();
    await row(page, 'short-lived')
      .getByText(/revoked/)
      .waitFor();
    await page.getByRole('tab', { name: 'Audit' }).click();
    await row(page, 'keys.revoke').first().waitFor();
    expect(faults()).toEqual([]);
  });

  it('lets a viewer in where they wanted to go, with no action enabled and each saying why', async () => {
    const [key, failed, held, asking] = await Promise.all([
      createKey('onlooker', 'viewer'),
      submit('fragile', '--name', 'sad-one'),
      submit('holds'),
      submit('asks'),
    ]);
    const page = await open('/runs?flow=fragile');
    await page.getByLabel('API key').fill('not-a-key');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('That is not a key of this server').waitFor();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'sad-one').waitFor();
    expect(new URL(page.url()).search).toBe('?flow=fragile');
    await page.getByRole('checkbox', { name: 'Choose sad-one' }).check();
    expect(await findEnabled(page, ['Cancel', 'Retry', 'Delete'])).toEqual([]);
    await page.getByRole('button', { name: 'Retry', exact: true }).hover();
    await page.getByText('You look with a viewer key; this needs an operator or admin key.').waitFor();

    for (const { path, buttons, menuItems = 0 } of [
      { path: '/limits', buttons: ['Add a limit', 'Change', 'Delete'] },
      { path: '/flows', buttons: ['Run'] },
      { path: '/flows/orders', buttons: ['Run'] },
      { path: '/deployments/nightly', buttons: ['Run now', 'Pause', 'Backfill', 'Pause cron'], menuItems: 1 },
      { path: `/runs/${failed}`, buttons: ['Retry'], menuItems: 5 },
      { path: `/runs/${held}`, buttons: ['Cancel'], menuItems: 5 },
      { path: `/runs/${asking}`, buttons: ['Answer answer', 'Cancel'], menuItems: 5 },
    ]) {
      await visit(page, path);
      await page.getByRole('button', { name: /Logged in as onlooker/ }).waitFor();
      expect([path, await findEnabled(page, buttons)]).toEqual([path, []]);
      if (menuItems === 0) continue;
      await page.getByRole('button', { name: 'More actions' }).click();
      const items = page.getByRole('menuitem');
      await items.first().waitFor();
      expect([path, await items.count()]).toEqual([path, menuItems]);
      for (const item of await items.all()) expect(await item.getAttribute('data-disabled')).toBe('true');
    }
    await visit(page, '/settings?tab=keys');
    await page.getByText('The list of keys is not for your role').waitFor();

    await page.getByRole('button', { name: /Logged in as onlooker/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(faults('status of 401')).toEqual([]);
  });

  it('shows an observer states and graphs, one calm line for what is hidden, and asks for nothing that is refused', async () => {
    const [key, failed] = await Promise.all([createKey('wall', 'observer'), submit('fragile', '--name', 'secret-name')]);
    const page = await open(`/runs/${failed}`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: `fragile run-${failed.slice(-8)}` }).waitFor();
    await page.getByText('What went wrong').waitFor();
    await page.getByText('Hidden for the role observer.', { exact: true }).waitFor();
    expect(await page.getByRole('tab').allTextContents()).toEqual(['Graph', 'Timeline', 'Tasks', 'Inputs & result', 'History']);
    await page.getByRole('tab', { name: 'Inputs & result' }).click();
    await expect.poll(() => page.getByText('Hidden for the role observer.', { exact: true }).count()).toBe(3);
    const shown: string[] = [await page.innerText('body')];
    for (const [path, sees] of [
      ['/', 'Its last'],
      ['/runs', 'fragile'],
      [`/runs/${failed}?tab=logs`, 'Hidden for the role observer.'],
      ['/deployments/nightly', 'Hidden for the role observer.'],
      ['/limits', 'Limits'],
      ['/artifacts', 'This page is not for your role'],
      ['/settings', 'This page is not for your role'],
    ] as const) {
      await visit(page, path);
      await page.getByText(sees).first().waitFor();
      shown.push(await page.innerText('body'));
    }
    for (const text of shown) expect(text).not.toMatch(/secret-name|is cut|could not be loaded/);
    expect(await page.getByRole('link', { name: 'Artifacts' }).count()).toBe(0);
    expect(faults('status of 401')).toEqual([]);
  });
});
