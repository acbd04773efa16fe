/** A run from its form to its end in a real browser: watched live, looked into, cancelled, retried, answered. */
import { describe, expect, it } from 'vitest';
import { card, goToTab, hold, row, state } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';
import { shop } from './dashboard-shop.ts';

describe.each(placeNames)('a run on %s', (on) => {
  const { open, visit, submit, command, leave, faults } = useDashboard(on, shop);

  it('runs a flow from its form and watches it live to the end: graph, timeline, log, tasks, values and artifacts', async () => {
    const page = await open('/flows');
    await page.getByRole('link', { name: 'orders', exact: true }).click();
    await page.getByText('Packs & <i>ships</i> orders.').waitFor();
    await page.locator('.react-flow__node').nth(2).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Who <b>orders</b>').waitFor();
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await dialog.getByText('This is needed.').waitFor();
    await dialog.getByRole('textbox', { name: 'customer' }).fill('<script>alert(1)</script>');
    await dialog.getByRole('textbox', { name: 'count' }).fill('40');
    await dialog.getByRole('textbox', { name: 'Name of the run' }).fill('<i>odd</i> name');
    await dialog.getByRole('button', { name: 'Run now' }).click();

    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await page.getByRole('heading', { name: 'orders <i>odd</i> name' }).waitFor();
    await state(page, 'Running').waitFor();
    await card(page, 'pack').getByText('40/40').waitFor();
    await card(page, 'ship').getByText('Running').waitFor();
    leave('go');
    await state(page, 'Completed').waitFor();
    await card(page, 'ship').getByText('Completed').waitFor();

    await card(page, 'ship').getByRole('button').click();
    const panel = page.getByRole('complementary');
    await panel.getByText('shipped').waitFor();
    expect(new URL(page.url()).searchParams.get('task')).toBe('ship');
    await goToTab(page, 'Timeline');
    await expect.poll(() => page.locator('svg rect[data-kind="executing"]').count()).toBeGreaterThan(10);
    await goToTab(page, 'Tasks');
    await page.getByText('42 task runs').waitFor();
    await page.getByRole('textbox', { name: 'Part of the name' }).fill('pack [39]');
    await page.getByText(/1 of 42/).waitFor();
    await goToTab(page, 'Inputs & result');
    await page.getByText('"<script>alert(1)</script>"').waitFor();
    await page.getByText('Set, 1 item').waitFor();
    await goToTab(page, 'Artifacts');
    await page.getByRole('heading', { name: 'Shipped' }).waitFor();
    await page.getByText('javascript:alert(1)').waitFor();
    await page.getByText('<b><script>alert(1)</script></b>').first().waitFor();
    await goToTab(page, 'History');
    await page.getByRole('cell', { name: 'Completed' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Shipped' }).waitFor();
    expect(await page.locator('main :is(script, i, b, img)').count()).toBe(0);
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    expect(faults()).toEqual([]);
  });

  it('shows an end that came before its stream of events was there', async () => {
    const id = await submit('orders', '-p', 'customer=Fay');
    const page = await open('/flows');
    const release = await hold(page, '**/api/events?run=*');
    await page.clock.install();
    await visit(page, `/runs/${id}`);
    await card(page, 'ship').getByText('Running').waitFor();
    // From here on the page's time hardly passes: it never asks again by itself.
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 5_000));
    leave('go');
    await command('runs', 'watch', id);
    release();
    await expect
      .poll(async () => {
        await page.clock.runFor(10);
        return await state(page, 'Completed').count();
      })
      .toBe(1);
    expect(faults()).toEqual([]);
  });

  it('shows the log by level, by task and by hit, with markup as text', async () => {
    leave('go');
    const id = await submit('orders', '-p', 'customer=Bob', '-p', 'count=30');
    const page = await open(`/runs/${id}?tab=logs`);
    const log = page.getByRole('log');
    await log.getByText('listing <img src=x onerror=alert(1)> for Bob').waitFor();
    await log.getByText('packing 29').waitFor();
    await page.getByRole('button', { name: 'warn', exact: true }).click();
    await expect.poll(() => log.getByText('listing').count()).toBe(0);
    await page.getByRole('textbox', { name: 'Search in the log' }).fill('packing 1');
    await page.keyboard.press('Enter');
    await page.getByText('1 of 11 hits').waitFor();
    await page.getByRole('button', { name: 'Next hit' }).click();
    await page.getByText('2 of 11 hits').waitFor();
    expect(new URL(page.url()).searchParams.get('line')).not.toBeNull();
    expect(await log.locator('mark').first().textContent()).toBe('packing 1');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
    expect(download.suggestedFilename()).toBe(`${id}.log`);
    expect(await page.locator('main img').count()).toBe(0);
    expect(faults()).toEqual([]);
  });

  it('shows how far a running task is: on its card, in its panel, in the table of tasks, on the timeline and on the home page', async () => {
    const id = await submit('holds', '--name', 'slow-one');
    const page = await open(`/runs/${id}`);
    await card(page, 'hold').getByText('41 %').waitFor();
    await card(page, 'hold').click();
    await page.getByText('37 of 90').waitFor();
    await goToTab(page, 'Tasks');
    const held = row(page, 'hold');
    await held.getByText('41 %').waitFor();
    leave('further');
    await held.getByText('80 %').waitFor();
    await held.getByText('72 of 90').waitFor();
    await goToTab(page, 'Timeline');
    await page
      .getByRole('img', { name: /^hold: Running, goes on, 72 of 90$/ })
      .getByText('80 %')
      .waitFor();
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await page
      .getByRole('link', { name: /slow-one/ })
      .getByText('80 %')
      .waitFor();
    await command('runs', 'cancel', id);
    await page.getByRole('link', { name: /slow-one/ }).waitFor({ state: 'detached' });
    expect(faults()).toEqual([]);
  });

  it('cancels a run, saying what follows', async () => {
    const id = await submit('holds');
    const page = await open(`/runs/${id}`);
    await state(page, 'Running').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByText('the run can be retried from there').waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Cancel / })
      .click();
    await state(page, 'Cancelled').waitFor();
    expect(faults()).toEqual([]);
  });

  it('says why a run failed, and retries it from a chosen task', async () => {
    const id = await submit('fragile');
    const page = await open(`/runs/${id}`);
    await state(page, 'Failed').waitFor();
    await page.getByText('the <b>wire</b> is cut').first().waitFor();
    await card(page, 'second').getByRole('button').click();
    await page.getByRole('complementary').getByText('rust').waitFor();
    leave('mended');
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'From task' }).click();
    await page.getByRole('option', { name: 'first' }).click();
    await dialog.getByText('except first and all that comes after it').waitFor();
    await dialog.getByRole('button', { name: 'Retry', exact: true }).click();
    await state(page, 'Completed').waitFor();
    await page.getByText('attempt').first().waitFor();
    await goToTab(page, 'Inputs & result');
    await page.getByText('"one two three"').waitFor();
    await goToTab(page, 'History');
    await page.getByRole('cell', { name: '2', exact: true }).first().waitFor();
    expect(faults()).toEqual([]);
  });

  it('answers a run that waits for a signal', async () => {
    const id = await submit('asks');
    const page = await open(`/runs/${id}`);
    await page.getByRole('button', { name: 'Answer answer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Data' }).fill('{ "by": "Ann" ');
    await dialog.getByText('This is not JSON').waitFor();
    await dialog.getByRole('textbox', { name: 'Data' }).fill('{ "by": "Ann" }');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await state(page, 'Completed').waitFor();
    await card(page, 'publish').getByText('Completed').waitFor();
    await page.getByRole('button', { name: 'Run again', exact: true }).waitFor();
    await goToTab(page, 'Inputs & result');
    await page.getByText('"draft by Ann"').waitFor();
    expect(faults()).toEqual([]);
  });

  it('counts waiting for a signal apart, on the page of the run and in the list, names the run that started it, and offers what comes next', async () => {
    const parent = await submit('ordered', '--name', 'parent-one');
    // An open list announces new runs, and shows them when asked.
    await expect.poll(() => command('runs', 'ls', '--flow', 'asks', '--state', 'PAUSED', '--json')).toMatch(/"flow": ?"asks"/);
    const page = await open('/runs?flow=asks&state=PAUSED');
    await page.getByRole('row').getByRole('link').first().click();
    await page.getByRole('link', { name: /^ordered parent-one / }).waitFor();
    await state(page, 'Suspended').waitFor();
    const head = page.locator('header', { has: page.getByRole('heading', { level: 1 }) });
    const waited = head.getByText(/^and waited \d+ s$/);
    await waited.waitFor();
    expect(await head.innerText()).toMatch(/\d ms\s+and waited/);
    const earlier = await waited.innerText();
    await expect.poll(() => waited.innerText()).not.toBe(earlier);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Cancel / })
      .click();
    await page.getByRole('button', { name: 'Retry', exact: true }).waitFor();
    await visit(page, `/runs/${parent}`);
    expect(faults()).toEqual([]);
  });

  it('shows the first of many tags, and the rest when asked', async () => {
    const id = await submit('fragile', ...Array.from({ length: 12 }, (_, at) => ['--tag', `tag-${at}`]).flat());
    const page = await open(`/runs/${id}`);
    await page.getByRole('button', { name: '4 more tags' }).click();
    await page.getByText('tag-11', { exact: true }).waitFor();
    expect(faults()).toEqual([]);
  });

  it('works by keyboard: a card is chosen and let go, the timeline zooms, the log is searched', async () => {
    leave('go');
    const id = await submit('orders', '-p', 'customer=Cat');
    const page = await open(`/runs/${id}`);
    await state(page, 'Completed').waitFor();
    await card(page, 'list').getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Task list' }).getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('complementary', { name: 'Task list' }).count()).toBe(0);
    await goToTab(page, 'Timeline');
    await page.getByRole('region', { name: /^Timeline/ }).focus();
    await page.keyboard.press('+');
    await expect.poll(() => page.getByRole('button', { name: 'Whole' }).isEnabled()).toBe(true);
    await page.keyboard.press('0');
    await expect.poll(() => page.getByRole('button', { name: 'Whole' }).isEnabled()).toBe(false);
    await goToTab(page, 'Logs');
    await page.getByRole('log').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('packing 3');
    await page.keyboard.press('Enter');
    await page.getByText('1 of 1 hit').waitFor();
    expect(faults()).toEqual([]);
  });
});
