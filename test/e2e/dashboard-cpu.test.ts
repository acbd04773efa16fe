/** Tasks in threads and processes in a real browser: where they run, what they have used, and where their time went. */
import { describe, expect, it } from 'vitest';
import { card, goToTab, state } from './dashboard-page.ts';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task } from 'batuta';
import { csv } from 'batuta/streams';
function burn(): number { let sum = 0; for (let at = 0; at < 60_000_000; at++) sum += Math.sqrt(at); return sum; }
@Flow() export class Burns {
  @Task({ isolate: 'thread' }) resize() { return burn(); }
  @Task({ isolate: 'process', memory: '512 MB', profile: true, after: ['resize'] }) render() { return burn(); }
}
@Flow() export class Reads {
  @Task() async *rows() { yield* csv(['id\\n1\\n\\n2,x\\n3\\n'], { onBad: () => undefined }); }
  @Task({ needs: ['rows'] }) async take(rows: AsyncIterable<unknown>) { for await (const _ of rows); }
}`;

describe('work apart', () => {
  const { open, visit, submit, faults, accessFaults } = useDashboard('one SQLite file', flows);

  it('is marked with where it runs, shows what it has used, and its flame graph has the places of the source', async () => {
    const id = await submit('burns');
    const page = await open(`/runs/${id}`);
    await state(page, 'Completed').waitFor();
    await card(page, 'resize').getByText('own thread', { exact: true }).waitFor();
    await card(page, 'render').getByText('own process · at most 512 MiB · CPU profile').waitFor();
    await page
      .getByText(/^CPU .* · /)
      .first()
      .waitFor();
    await visit(page, `/runs/${id}?task=render`);
    const panel = page.getByRole('complementary', { name: 'Task render' });
    await panel.getByText('own process · at most 512 MiB · CPU profile').waitFor();
    await panel.getByText(/^CPU [\d.]+ m?s · [\d.]+ MiB$/).waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await goToTab(page, 'Artifacts');
    await page.getByRole('button', { name: 'Show flame graph' }).click();
    const flame = page.getByRole('region', { name: 'Flame graph of render-1.cpuprofile' });
    await flame
      .getByRole('button', { name: /^burn · all\.ts:4 · / })
      .first()
      .waitFor();
    expect(await accessFaults(page)).toEqual([]);
    expect(faults()).toEqual([]);
  });

  it('says of each task of a stream what could not be read and what was passed over', async () => {
    const page = await open(`/runs/${await submit('reads')}`);
    await state(page, 'Completed').waitFor();
    await goToTab(page, 'Rejects');
    const rows = page.getByRole('row', { name: /^rows/ });
    await rows.waitFor();
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual(expect.arrayContaining(['Parse errors', 'Skipped']));
    expect((await rows.getByRole('cell').allInnerTexts()).slice(2, 7)).toEqual(['–', '2', '0', '1', '1']);
    expect(faults()).toEqual([]);
  });
});
