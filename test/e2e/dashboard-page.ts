/** Where things stand on the pages of the dashboard, as the tests look for them. */
import type { Locator, Page, Route } from 'playwright-core';

/** The row of a table that holds this text. */
export const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

/** The state of a run in the head of its page, once it is this one. */
export const state = (page: Page, name: string): Locator => page.locator(`header [data-state="${name}"]`);

/** The card of a task in the graph. */
export const card = (page: Page, name: string): Locator =>
  page.locator('.react-flow__node').filter({ has: page.getByText(name, { exact: true }) });

/** Goes to a tab of the page of a run. */
export const goToTab = (page: Page, name: string): Promise<void> => page.getByRole('tab', { name, exact: true }).click();

/** Of the buttons of these names, once they are there, those that can be pressed; one that cannot still takes the focus, to say why. */
export async function findEnabled(page: Page, names: readonly string[]): Promise<readonly string[]> {
  const enabled: string[] = [];
  for (const name of names) {
    const buttons = page.getByRole('button', { name, exact: true });
    await buttons.first().waitFor();
    for (const button of await buttons.all()) if ((await button.getAttribute('aria-disabled')) !== 'true') enabled.push(name);
  }
  return enabled;
}

/**
 * Holds back the requests to an address from now on. Gives what lets them go, those to come too. `begin` does with a held request what
 * need not wait, and gives what does.
 */
export async function hold(
  page: Page,
  address: string | RegExp,
  begin: (route: Route) => Promise<() => Promise<void>> = async (route) => () => route.continue(),
): Promise<() => void> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(address, async (route) => {
    const go = await begin(route);
    await released;
    await go();
  });
  return () => release();
}
