/** Values and streams that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { z } from 'zod';
import type { Client, EmbeddedClient } from '../../src/client/client.ts';
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import type { FlowContext, TaskContext } from '../../src/model/context.ts';

@Flow()
export class Chat {
  static readonly emits = { tokens: z.string(), places: z.object({ x: z.number() }) };

  @Task()
  async answer(ctx: TaskContext<typeof Chat>) {
    // @ts-expect-error case 1: no such stream
    await ctx.emit('token', 'word');
    // @ts-expect-error case 2: a value of another type
    await ctx.emit('tokens', 1);
    // @ts-expect-error case 3: the value of another stream
    await ctx.emit('places', 'word');
    // @ts-expect-error case 4: a field of another type
    await ctx.emit('places', { x: '1' });
    // @ts-expect-error case 5: no value
    await ctx.emit('tokens');
    const name: string = 'tokens';
    // @ts-expect-error case 6: a name that is only known when it runs
    await ctx.emit(name, 'word');
  }
}

@Flow()
export class Writer {
  static readonly emits = { drafts: z.number() };
  async run(_params: object, ctx: FlowContext<typeof Writer>) {
    // @ts-expect-error case 7: no such stream of the body
    await ctx.emit('draft', 1);
    // @ts-expect-error case 8: a value of another type from the body
    await ctx.emit('drafts', '1');
  }
  @Task() async draft() {}
}

export async function reads(client: EmbeddedClient, away: Client) {
  const handle = await client.submit(Chat);
  // @ts-expect-error case 9: no such stream to read
  handle.stream('token');
  // @ts-expect-error case 10: values are what the schema gives
  for await (const token of handle.stream('tokens')) token.toFixed();
  const enqueued = await away.enqueue(Writer, {});
  // @ts-expect-error case 11: no such stream of a run that is enqueued
  enqueued.stream('draft');
}
