/** The project that the tests of the dashboard look at. */
import type { Dashboard } from './dashboard-place.ts';

/** `orders` waits for the file `go` before it ships, `holds` is at 41 % until the file `further` is there, then at 80 % for good, `fragile` breaks until the file `mended` is there, `asks` waits for a signal. */
export const shop = `
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';
import { z } from 'zod';

async function until(file: string, ctx: TaskContext): Promise<void> {
  while (!existsSync(file)) { ctx.signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
}

const params = z.object({
  customer: z.string().min(2).describe('Who <b>orders</b>'),
  count: z.number().int().min(1).max(200).default(4),
  mode: z.enum(['all', 'some']).default('all'),
  gift: z.boolean().default(false),
  day: z.iso.date().optional(),
  labels: z.array(z.string()).default(['new']),
});

@Flow({ params, description: 'Packs & <i>ships</i> orders.', tags: ['shop'] })
export class Orders {
  @Task() async list(ctx: TaskContext<z.infer<typeof params>>): Promise<number[]> {
    ctx.log.info('listing <img src=x onerror=alert(1)> for %s', ctx.params.customer);
    return Array.from({ length: ctx.params.count }, (_, at) => at);
  }
  @Task({ each: 'list' }) async pack(item: number, ctx: TaskContext): Promise<number> { ctx.log.warn('packing %d', item); return item * 2; }
  @Task({ needs: ['pack'] }) async ship(packed: number[], ctx: TaskContext<z.infer<typeof params>>) {
    await until('go', ctx);
    await ctx.artifact.markdown('note', '# Shipped\\n\\n<script>alert(1)</script> [bad](javascript:alert(1)) **' + packed.length + '**');
    await ctx.artifact.table('parcels', packed.map((weight) => ({ weight, to: '<b>' + ctx.params.customer + '</b>' })));
    return { shipped: packed.length, at: new Date(0), kinds: new Set(['parcel']) };
  }
}
@Flow() export class Fragile {
  @Task() async first(): Promise<string> { return 'one'; }
  @Task({ needs: ['first'] }) async second(value: string): Promise<string> {
    if (!existsSync('mended')) throw new TypeError('the <b>wire</b> is cut', { cause: new Error('rust') });
    return value + ' two';
  }
  @Task({ needs: ['second'] }) async third(value: string): Promise<string> { return value + ' three'; }
}
@Flow() export class Holds {
  @Task() async hold(ctx: TaskContext): Promise<void> {
    ctx.progress(37, 90);
    await until('further', ctx);
    ctx.progress(72, 90);
    await until('never', ctx);
  }
}
@Flow() export class Asks {
  async run(_: unknown, ctx: FlowContext): Promise<string> {
    const draft = await this.draft();
    const answer = (await ctx.waitFor('answer')) as { by: string };
    return this.publish(draft, answer.by);
  }
  @Task() async draft(): Promise<string> { return 'draft'; }
  @Task() async publish(text: string, by: string): Promise<string> { return text + ' by ' + by; }
}
@Flow() export class Ordered {
  async run(_: unknown, ctx: FlowContext): Promise<void> { await ctx.runFlow(Asks, {}); }
}`;

/** Deploys `orders` as `nightly`, every day at 02:30 in Lisbon. */
export async function deployNightly({ command }: Dashboard): Promise<void> {
  await command('deploy', 'orders', '--name', 'nightly', '--cron', '30 2 * * *', '--timezone', 'Europe/Lisbon', '-p', 'customer=Ann');
}
