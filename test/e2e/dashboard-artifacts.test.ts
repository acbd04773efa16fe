/** Artifacts and rejected records in a real browser: drawn, compared, downloaded, given to their tasks again; and nothing of them is executed. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goToTab, state } from './dashboard-page.ts';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { existsSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';
import { at } from 'batuta/streams';
@Flow() export class Report {
  @Task() async report({ artifact }: TaskContext) {
    const n = existsSync('go') ? 2 : 1;
    await artifact.chart('Late', { x: ['a', 'b'], series: { AA: [1, n] } }, { key: 'late' });
    await artifact.table('delays', [{ carrier: 'AA', minutes: n }], { key: 'delays' });
    await artifact.image('logo', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20" onload="fetch(\\'https://elsewhere.invalid\\')"><script>document.title="taken"</script><image href="https://elsewhere.invalid/x.png"/></svg>'));
    await artifact.file('page', Buffer.from('<script>document.title="taken"</script>'), { type: 'text/html', fileName: 'page.html' });
    const node = (id: number, functionName: string, hitCount: number, children: number[] = []) => ({ id, hitCount, children, callFrame: { functionName, url: 'file:///flows/<b>.ts', lineNumber: id } });
    const profile = { startTime: 0, endTime: 90_000, nodes: [node(1, '(root)', 0, [2]), node(2, 'prepare', 3, [3]), node(3, 'sortAll', 6)] };
    await artifact.file('profile', Buffer.from(JSON.stringify(profile)), { fileName: 'report.cpuprofile' });
    artifact.progress('pages', 0.62, '62 <b>pages</b>');
  }
}
@Flow() export class Counts {
  @Task() async count({ artifact }: TaskContext) {
    for (let n = 1; n <= 55; n++) await artifact.table('counts', [{ name: 'all', n }], { key: 'counts' });
  }
}
@Flow() export class Rows {
  @Task() async *rows() { for (let n = 1; n <= 200; n++) yield at(n, { n }); }
  @Task({ needs: ['rows'] }) async sumOfAllThatAreOdd(rows: AsyncIterable<{ n: number }>, ctx: TaskContext) {
    let taken = 0;
    for await (const { n } of rows) if (n % 2 === 0 && !existsSync('mended')) ctx.reject({ n }, n % 4 === 0 ? '<i>four</i>' : 'two'); else taken++;
    return taken;
  }
}`;

describe('what tasks show', () => {
  const { open, visit, submit, leave, faults, accessFaults } = useDashboard('one SQLite file', flows);

  it('is drawn, its versions are compared, and nothing of it is executed', async () => {
    const first = await submit('report');
    const page = await open(`/runs/${first}?tab=artifacts`);
    await page.getByRole('img', { name: /^Chart Late: AA/ }).waitFor();
    const logo = page.getByRole('img', { name: 'logo' });
    await expect.poll(() => logo.evaluate((image) => (image as unknown as { readonly naturalWidth: number }).naturalWidth)).toBe(60);
    await page.getByText('62 <b>pages</b>').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'page.html' }).click()]);
    expect([download.suggestedFilename(), readFileSync(await download.path(), 'utf8')]).toEqual([
      'page.html',
      expect.stringContaining('taken'),
    ]);
    await page.getByRole('button', { name: 'Show flame graph' }).click();
    const flame = page.getByRole('region', { name: 'Flame graph of report.cpuprofile' });
    await flame.getByRole('button', { name: 'sortAll · <b>.ts:4 · 60.0 ms in all · 60.0 ms in its own code' }).press('Enter');
    expect(await flame.getByRole('button').count()).toBe(1);
    expect(await accessFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Whole profile' }).click();
    expect(await flame.getByRole('button').count()).toBe(3);
    expect(await page.getByRole('row', { name: /^sortAll/ }).innerText()).toMatch(/60\.0 ms\s+66\.7 %/);
    leave('go');
    await visit(page, `/runs/${await submit('report')}`);
    await state(page, 'Completed').waitFor();
    await visit(page, '/artifacts?by=key');
    await page.getByRole('link', { name: 'delays' }).click();
    await page.getByText('1 row changed; matched').waitFor();
    expect(await page.getByRole('row', { name: /^AA minutes/ }).innerText()).toMatch(/1\s+2/);
    expect(await page.title()).toContain('Versions of delays');
    expect(await accessFaults(page)).toEqual([]);
    expect(faults()).toEqual([]);
  });

  it('whose version is not in the list yet is compared with the version before it', async () => {
    const page = await open(`/runs/${await submit('counts')}`);
    await state(page, 'Completed').waitFor();
    const compareAs = async (from: number, to: number): Promise<void> => {
      await page.getByText('1 row changed; matched').waitFor();
      expect(await page.getByRole('row', { name: /^all n/ }).innerText()).toMatch(new RegExp(`${from}\\s+${to}`));
    };
    const items = await page.evaluate(async () => {
      const response = await fetch('/api/artifacts?key=counts&limit=100');
      return ((await response.json()) as { readonly items: readonly { readonly id: string }[] }).items;
    });
    const idOf = (n: number): string => items[55 - n]?.id ?? '';
    await visit(page, `/artifacts/versions?key=counts&after=${idOf(3)}`);
    await compareAs(2, 3);
    // The last of those loaded.
    await page.getByRole('radio', { name: `Compare ${idOf(6).slice(-8)} as the one after` }).waitFor();
    await visit(page, `/artifacts/versions?key=counts&after=${idOf(6)}`);
    await compareAs(5, 6);
    await visit(page, `/artifacts/versions?key=counts&after=${idOf(1)}`);
    await page.getByText('This is the first version; choose another').waitFor();
    expect(await accessFaults(page)).toEqual([]);
    expect(faults()).toEqual([]);
  });

  it('that was rejected is counted by reason, listed, and given to its tasks again', async () => {
    const id = await submit('rows');
    const page = await open(`/runs/${id}`);
    await state(page, 'Completed').waitFor();
    await goToTab(page, 'Rejects');
    await page.getByText('100 (50 %)').waitFor();
    await page.setViewportSize({ width: 800, height: 900 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(800);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByRole('button', { name: '<i>four</i>' }).click();
    await page.getByRole('heading', { name: 'Records: <i>four</i>' }).waitFor();
    await page.getByText('at 4', { exact: true }).waitFor();
    expect(await page.locator('main i').count()).toBe(0);
    expect(await accessFaults(page)).toEqual([]);
    leave('mended');
    await page.getByRole('button', { name: 'Retry rejected' }).click();
    await page.getByRole('dialog').getByText('100 records in all').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry rejected' }).click();
    await page.waitForURL((address) => !address.pathname.endsWith(id));
    await state(page, 'Completed').waitFor();
    await goToTab(page, 'Rejects');
    await page.getByText('No rejected records').waitFor();
    expect(faults()).toEqual([]);
  });
});
