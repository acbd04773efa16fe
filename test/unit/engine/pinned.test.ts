/** Pinned runs in one process: whatever kills it, the next owner must see the pin of a run of which anything was executed. */
import { expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { ownEngine } from '../../support/own-engine.ts';

test('the pin counts, on record, before anything of a run is executed: its body, its tasks, its sub-flows', async () => {
  const at = await ownEngine();
  const seen: [what: string, isPinned: boolean][] = [];
  const look = async (what: string, runId: string): Promise<void> => {
    seen.push([what, (await at.store.pins.get(runId)) !== null]);
  };
  @Flow({ versioning: 'pin' })
  class PinnedGraph {
    @Task()
    async first(ctx: TaskContext): Promise<void> {
      await look('task', ctx.run.id);
    }
  }
  @Flow({ versioning: 'pin' })
  class PinnedBody {
    async run(_: unknown, ctx: FlowContext): Promise<void> {
      await look('body', ctx.run.id);
      await ctx.runFlow(PinnedGraph);
    }
  }
  await (await at.client.submit(PinnedBody)).result();
  expect(seen).toEqual([
    ['body', true],
    ['task', true],
  ]);
});
