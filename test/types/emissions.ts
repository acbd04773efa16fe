/** Values that flows give out while they run: typed where they are given and where they are read, in both decorator modes. Never run. */
import { z } from 'zod';
import type { Client, EmbeddedClient } from '../../src/client/client.ts';
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import type { FlowContext, TaskContext } from '../../src/model/context.ts';
import type { EmitsIn, EmitsOf } from '../../src/model/flow-types.ts';

/** True where both are the same type; `any` is only the same as `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends readonly true[]>(): void => undefined;

@Flow()
export class Chat {
  static readonly emits = { tokens: z.string(), counts: z.coerce.number(), at: z.object({ at: z.date(), note: z.string().optional() }) };

  @Task()
  async answer(ctx: TaskContext<typeof Chat>) {
    await ctx.emit('tokens', 'word');
    await ctx.emit('at', { at: new Date(0) });
    void ctx.emit('counts', 1);
  }
  @Task({ needs: ['answer'], isolate: 'thread' })
  async more(_answer: void, ctx: TaskContext<typeof Chat>) {
    await ctx.emit('tokens', 'more');
  }
}

@Flow()
export class Writer {
  static readonly emits = { drafts: z.object({ n: z.number() }) };
  async run(_params: object, ctx: FlowContext<typeof Writer>) {
    await ctx.emit('drafts', { n: 1 });
    return this.draft();
  }
  @Task() async draft() {
    return 'done';
  }
}

/** Says nothing of its streams: any value by any of them. */
@Flow()
export class Untold {
  @Task() async work(ctx: TaskContext) {
    await ctx.emit('anything', { at: 1 });
    await ctx.emit('else', 'text');
  }
}

holds<
  [Same<EmitsOf<typeof Chat>['tokens'], string>, Same<EmitsOf<typeof Chat>['counts'], number>, Same<keyof EmitsIn<typeof Writer>, 'drafts'>]
>();

export async function reads(client: EmbeddedClient, away: Client) {
  const handle = await client.submit(Chat);
  for await (const token of handle.stream('tokens')) holds<[Same<typeof token, string>]>();
  for await (const count of handle.stream('counts', { after: 3 })) holds<[Same<typeof count, number>]>();
  for await (const { at, note } of handle.stream('at')) holds<[Same<typeof at, Date>, Same<typeof note, string | undefined>]>();
  const enqueued = await away.enqueue(Writer, {});
  for await (const { n } of enqueued.stream('drafts')) holds<[Same<typeof n, number>]>();
  const untold = await client.submit(Untold);
  for await (const value of untold.stream('anything')) holds<[Same<typeof value, unknown>]>();
}
