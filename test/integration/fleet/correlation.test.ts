/** The trace that a run is submitted with, in all that its code does: tasks, spread tasks, sub-flows, and runs that it submits. */
import { correlationHeaders, Flow, type FlowContext, Task } from 'batuta';
import { expect, test } from 'vitest';
import { currentScope } from '../../../src/model/run-context.ts';
import { submittedIn } from '../../../src/model/submitted.ts';
import { traceIdOf } from '../../../src/model/trace.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { openNode } from './spread-node.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${trace}-00f067aa0ba902b7-00`;

test('is continued by tasks here and spread, in the body, in sub-flows, and in what tasks submit', async () => {
  const sent: Record<string, string>[] = [];
  const fields: unknown[] = [];
  const note = (): void => void sent.push(correlationHeaders());
  const below = makeFlow({ deep: { does: note }, far: { spread: true, does: note } }, { name: 'below' });
  const apart = makeFlow({ own: { does: note } }, { name: 'apart' });
  @Flow()
  class Traced {
    @Task() async near(): Promise<void> {
      note();
      fields.push(currentScope()?.logger().bindings());
    }
    @Task({ spread: true }) async away(): Promise<string> {
      note();
      const handle = await node.client.submit(apart);
      await handle.result();
      return handle.id;
    }
    async run(_params: unknown, ctx: FlowContext): Promise<string> {
      note();
      fields.push(currentScope()?.logger().bindings());
      await this.near();
      await ctx.runFlow(below);
      return this.away();
    }
  }
  const node = await openNode([Traced, below, apart]);
  const handle = await node.client.submit(Traced, {}, { traceparent, callerRunId: 'order-17' });
  const submitted = await handle.result();
  expect(sent).toHaveLength(6);
  for (const headers of sent) expect(headers['traceparent']).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
  const [body, near, , , away] = sent;
  expect(fields).toMatchObject([
    { runId: handle.id, traceId: trace },
    { runId: handle.id, taskRunId: near?.['x-task-id'], traceId: trace },
  ]);
  expect(body).toMatchObject({ 'x-run-id': handle.id });
  expect(submittedIn((await handle.get()).params)).toEqual({ traceparent, callerRunId: 'order-17' });
  const { params } = await node.client.runs.get(submitted);
  expect(submittedIn(params)).toEqual({ traceparent: away?.['traceparent'], callerRunId: handle.id });
  const [child] = await node.store.runs.children(handle.id);
  const rows = await node.store.taskRuns.ofRun(handle.id);
  const stands = rows.find(({ childRunId }) => childRunId === child?.id)?.id ?? '';
  expect(submittedIn(child?.params ?? '')).toEqual({ traceparent: `00-${trace}-${stands.replaceAll('-', '').slice(16)}-00` });
});

test('stands in the details of the error that the run ends with', async () => {
  const flow = makeFlow({ bad: { does: failing() } });
  const node = await openNode([flow]);
  const handle = await node.client.submit(flow, {}, { traceparent });
  await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', details: { runId: handle.id, traceId: trace } });
});

test('of a run without one is its own, which is what a run continues that its tasks submit', async () => {
  const apart = makeFlow({ own: { does: correlationHeaders } }, { name: 'apart' });
  const flow = makeFlow({ asks: { does: async () => (await node.client.submit(apart)).result() } });
  const node = await openNode([flow, apart]);
  const handle = await node.client.submit(flow);
  const headers = (await handle.result()) as Record<string, string>;
  expect((await handle.get()).params).not.toContain('submitted');
  expect(headers['traceparent']?.split('-')[1]).toBe(traceIdOf(handle.id, null));
});

test.each([
  ['traceparent', { traceparent: '00-short' }],
  ['callerRunId', { callerRunId: '' }],
])('a %s that is none is refused before a run exists', async (name, options) => {
  const flow = makeFlow({ own: {} });
  const node = await openNode([flow]);
  await expect(node.client.submit(flow, {}, options)).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(name),
  });
  expect((await node.client.runs.list()).items).toEqual([]);
});
