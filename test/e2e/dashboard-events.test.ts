/** Events, webhooks and triggers in a real browser. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, type FlowContext } from 'batuta';
import { z } from 'zod';
@Flow() export class Ships {
  static readonly params = z.object({ order: z.number() });
  async run({ order }: { order: number }, _: FlowContext<typeof Ships>): Promise<unknown> { return order; }
}`;

describe('events', () => {
  const { open, command, faults, accessFaults } = useDashboard('one SQLite file', flows, async () => undefined, {
    BATUTA_SECRET_KEY: randomBytes(32).toString('hex'),
  });

  it('stand with their webhooks, with what they have started and on the page of the run that they started', async () => {
    await command('webhook', 'add', 'shop', '--style', 'github');
    await command('deploy', 'ships', '--on', 'event:order.created', '--where', 'payload.paid=true', '--map', 'order=payload.id');
    await command('event', 'emit', 'order.created', '{"id":1001,"paid":true}', '--id', 'evt-1');
    const page = await open('/deployments/ships');
    await page.getByText('event:order.created, where payload.paid = true, with order from payload.id').waitFor();
    const firing = page.getByRole('row', { name: /evt-1.*started/ });
    await firing.waitFor();
    expect(await accessFaults(page)).toEqual([]);
    await firing.getByRole('link').click();
    await page.getByText('event:order.created evt-1').waitFor();
    const events = await open('/events');
    await events.getByRole('row', { name: /order\.created evt-1.*"paid":true/ }).waitFor();
    await events.getByRole('row', { name: /shop \/hooks\/shop.*github.*none yet/ }).waitFor();
    expect(await accessFaults(events)).toEqual([]);
    await events.getByRole('button', { name: 'Delete shop' }).click();
    await events.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await events.getByText('No webhooks').waitFor();
    expect(faults()).toEqual([]);
  });
});
