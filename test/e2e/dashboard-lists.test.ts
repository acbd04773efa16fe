/** Home and the list of runs in a real browser: what they count, filters in the address, live updates, bulk actions, a lost stream. */
import { describe, expect, it } from 'vitest';
import { hold, row, state } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';

/** `holds` waits for the file `go`, `breaks` fails at once, `says` is done at once. */
const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';
@Flow({ tags: ['quick'] }) export class Says {
  @Task() async say() { return 1; }
}
@Flow() export class Breaks { @Task() async bad() { throw new TypeError('no <i>carrier</i> there'); } }
@Flow() export class Holds {
  @Task() async hold(ctx: TaskContext) {
    while (!existsSync('go')) { ctx.signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
  }
}`;

describe.each(placeNames)('the lists on %s', (on) => {
  const { open, visit, submit, leave, faults } = useDashboard(on, flows, async ({ command, submit }) => {
    await command('deploy', 'says', '--name', 'yearly', '--cron', '0 0 1 1 *');
    await Promise.all([submit('says', '--name', 'calm-one'), submit('breaks', '--name', 'sad-one'), submit('breaks', '--name', 'sad-two')]);
  });

  describe('home', () => {
    it('says in one line what is wrong, names what needs attention, and leads to the runs it counts', async () => {
      const page = await open('/');
      await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
      await expect.poll(() => page.getByRole('link', { name: /2 failed/ }).count()).toBe(1);
      expect(await page.getByText('Its last 2 runs failed').count()).toBe(1);
      expect(await page.getByRole('link', { name: /yearly/ }).count()).toBeGreaterThan(0);
      await page.getByRole('link', { name: /2 failed/ }).click();
      await row(page, 'sad-one').waitFor();
      expect(new URL(page.url()).search).toBe('?state=FAILED&state=CRASHED&last=24h');
      expect(await row(page, 'calm-one').count()).toBe(0);
      expect(faults()).toEqual([]);
    });

    it('shows a run that begins and its end, without being asked for it', async () => {
      const page = await open('/');
      await page.getByText('Nothing is running.').waitFor();
      await submit('holds', '--name', 'patient-one');
      await page.getByRole('link', { name: /patient-one/ }).waitFor();
      leave('go');
      await page.getByText('Nothing is running.').waitFor();
      expect(faults()).toEqual([]);
    });
  });

  describe('the list of runs', () => {
    it('keeps its filters in the address, and goes back through them', async () => {
      const page = await open('/runs');
      await row(page, 'calm-one').waitFor();
      await page.getByRole('button', { name: 'State: any' }).click();
      await page.getByRole('checkbox', { name: 'Failed' }).check();
      await page.keyboard.press('Escape');
      await expect.poll(() => row(page, 'calm-one').count()).toBe(0);
      await row(page, 'sad-one').waitFor();
      expect(new URL(page.url()).search).toBe('?state=FAILED');
      await page.keyboard.press('/');
      await page.keyboard.type('sad-two');
      await expect.poll(() => row(page, 'sad-one').count()).toBe(0);
      expect(new URL(page.url()).search).toBe('?state=FAILED&search=sad-two');
      await page.goBack();
      await row(page, 'sad-one').waitFor();
      expect(new URL(page.url()).search).toBe('?state=FAILED');
      await page.goBack();
      await row(page, 'calm-one').waitFor();
      expect(new URL(page.url()).search).toBe('');
      await page.reload();
      await row(page, 'calm-one').waitFor();
      expect(faults()).toEqual([]);
    });

    it('says under a failed run what it failed of, as text and not as markup', async () => {
      const page = await open('/runs?flow=breaks');
      await row(page, 'sad-one').getByText('TypeError in bad, attempt 1 of 1: no <i>carrier</i> there').waitFor();
      expect(await page.locator('i').count()).toBe(0);
      expect(faults()).toEqual([]);
    });

    it('changes a row in place, and gathers new runs behind a button instead of pushing rows down', async () => {
      const page = await open('/runs');
      await row(page, 'calm-one').waitFor();
      const before = await row(page, 'calm-one').boundingBox();
      await submit('says', '--name', 'late-comer');
      await page.getByRole('button', { name: '1 new' }).waitFor();
      expect(await row(page, 'late-comer').count()).toBe(0);
      expect(await row(page, 'calm-one').boundingBox()).toEqual(before);
      await page.getByRole('button', { name: '1 new' }).click();
      await row(page, 'late-comer').getByText('Completed').waitFor();
      expect(faults()).toEqual([]);
    });

    it('cancels the chosen runs, saying exactly how many beforehand and that the others are left alone', async () => {
      const held = ['held-one', 'held-two', 'held-three'];
      for (const name of held) await submit('holds', '--name', name);
      const page = await open('/runs');
      for (const name of held) {
        await row(page, name).getByText('Running').waitFor();
        await page.getByRole('checkbox', { name: `Choose ${name}` }).check();
      }
      await page.getByRole('checkbox', { name: 'Choose calm-one' }).check();
      await page.getByText('4 runs chosen').waitFor();
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Cancel 3 runs of the 4 chosen.').waitFor();
      await dialog.getByText('1 run is left alone').waitFor();
      await dialog.getByRole('button', { name: 'Cancel 3 runs' }).click();
      await page.getByText('3 runs cancelled.').waitFor();
      for (const name of held) await row(page, name).getByText('Cancelled', { exact: true }).waitFor();
      expect(await row(page, 'calm-one').getByText('Completed').count()).toBe(1);
      expect(faults()).toEqual([]);
    });
  });

  describe('the stream of events', () => {
    it('shows a run that came after the list was asked for and before the stream was there', async () => {
      const page = await open('/settings');
      const release = await hold(page, '**/api/events');
      await visit(page, '/runs');
      await row(page, 'calm-one').waitFor();
      await submit('says', '--name', 'between-one');
      expect(await row(page, 'between-one').count()).toBe(0);
      release();
      await page.getByRole('button', { name: '1 new' }).click();
      await row(page, 'between-one').waitFor();
      expect(faults()).toEqual([]);
    });

    it('shows a run whose event comes while an older answer is still on its way', async () => {
      const page = await open('/');
      await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
      let answered = (): void => undefined;
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      const release = await hold(page, /\/api\/runs\?/, async (route) => {
        const response = await route.fetch();
        answered();
        return () => route.fulfill({ response });
      });
      await page.getByRole('link', { name: 'Runs', exact: true }).click();
      await answer;
      await submit('says', '--name', 'overtaken-one');
      // The picture above the list is asked for again once the event is there.
      await page.waitForResponse(/\/api\/runs\/histogram/);
      release();
      await page.getByRole('button', { name: '1 new' }).click();
      await row(page, 'overtaken-one').waitFor();
      expect(faults()).toEqual([]);
    });

    it('is one a tab, follows from a run to the lists, and nothing is lost between the two', async () => {
      const id = await submit('says', '--name', 'first-one');
      const page = await open('/settings');
      await page.addInitScript(() => {
        const open = new Set<EventSource>();
        const wide = globalThis as unknown as { mostStreams: number };
        wide.mostStreams = 0;
        globalThis.EventSource = class extends EventSource {
          constructor(...args: ConstructorParameters<typeof EventSource>) {
            super(...args);
            for (const source of open) if (source.readyState === EventSource.CLOSED) open.delete(source);
            open.add(this);
            wide.mostStreams = Math.max(wide.mostStreams, open.size);
          }
        };
      });
      await visit(page, `/runs/${id}`);
      await state(page, 'Completed').waitFor();
      const release = await hold(page, '**/api/events');
      await page.getByRole('link', { name: 'Runs', exact: true }).click();
      await row(page, 'first-one').waitFor();
      await submit('says', '--name', 'second-one');
      release();
      await page.getByRole('button', { name: '1 new' }).click();
      await row(page, 'second-one').waitFor();
      expect(await page.evaluate('mostStreams')).toBe(1);
      expect(faults()).toEqual([]);
    });

    it('is said to be lost while it is, and what happened meanwhile is there once it is back', async () => {
      const page = await open('/runs');
      await row(page, 'calm-one').waitFor();
      await page.context().setOffline(true);
      await page.getByText(/^Not live since/).waitFor();
      await submit('says', '--name', 'unseen-one');
      await page.context().setOffline(false);
      await page.getByText(/^Not live since/).waitFor({ state: 'detached' });
      await page.getByRole('button', { name: /^\d+ new$/ }).click();
      await row(page, 'unseen-one').waitFor();
      expect(faults('ERR_INTERNET_DISCONNECTED')).toEqual([]);
    });
  });
});
