/** Uses of resources that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { Inject } from '../../src/define/inject.ts';
import type { FlowContext, TaskContext } from '../../src/model/context.ts';
import { resource } from '../../src/resources/resource.ts';
import { override } from '../../src/testing/override-resources.ts';

const count = resource('count', () => 7, { scope: 'worker' });
const keyed = resource('keyed', (_ctx, key: string) => key.length);
const pool = resource('pool', () => ({ query: async () => 1, end: async (): Promise<void> => undefined }));
const unit = resource('unit', () => 'x', { scope: 'task' });

// @ts-expect-error case 1: no such scope
resource('a', () => 1, { scope: 'flow' });
// @ts-expect-error case 2: no such option
resource('a', () => 1, { scop: 'run' });
// @ts-expect-error case 3: what belongs to a process may not use what is closed with a task
resource('a', (ctx) => ctx.use(unit), { scope: 'worker' });
// @ts-expect-error case 4: what belongs to a run may not use what is closed with a task
resource('a', (ctx) => ctx.use(unit));

export async function use(ctx: TaskContext, body: FlowContext): Promise<void> {
  // @ts-expect-error case 5: a key is missing
  await ctx.use(keyed);
  // @ts-expect-error case 6: a key of another type
  await ctx.use(keyed, 7);
  // @ts-expect-error case 7: it takes no key
  await ctx.use(count, 'a');
  // @ts-expect-error case 8: another type
  const text: string = await ctx.use(count);
  // @ts-expect-error case 9: what is no resource
  await ctx.use({ name: 'count' });
  // @ts-expect-error case 10: the body of a flow is no task
  await body.use(unit);
  console.log(text);
}

// @ts-expect-error case 15: a fake of another type
override(count, 'seven');
// @ts-expect-error case 16: what opens a fake gives another type
override(count, async () => 'seven');
// @ts-expect-error case 17: a generator that yields another type
override(count, function* () {
  yield 'seven';
});
// @ts-expect-error case 18: a key of another type
override(keyed, (_ctx, key: number) => key);
// @ts-expect-error case 19: a fake without a method that is used
override(pool, { query: async () => 1 });

export class Bad {
  // @ts-expect-error case 11: a field of another type
  @Inject(count) text!: string;
  // @ts-expect-error case 12: also where it is private
  @Inject(count) private readonly hidden!: string;
  // @ts-expect-error case 13: a field has no key to give
  @Inject(keyed) length!: number;
  // @ts-expect-error case 14: on a method
  @Inject(count) method(): number {
    return Number(this.hidden);
  }
}
