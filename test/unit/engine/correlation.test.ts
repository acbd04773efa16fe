import { dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { correlationHeaders, Flow, type FlowContext, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { isTraceparent, traceIdOf, traceparentOf } from '../../../src/model/trace.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { hang, takeOver } from '../../support/take-over.ts';

const keyForm = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('ctx.idempotencyKey', () => {
  test('is the same for every attempt of a task run, and another for every other task, item and run', async () => {
    const seen: string[] = [];
    const flow = makeFlow({
      list: { does: () => ['a', 'a', 'b'] },
      pay: {
        each: 'list',
        retries: 2,
        does: (_item: unknown, ctx: TaskContext) => {
          seen.push(ctx.idempotencyKey);
          return ctx.task.attempt < 3 ? failing('again')() : ctx.idempotencyKey;
        },
      },
      refund: { does: (ctx: TaskContext) => ctx.idempotencyKey },
    });
    const [first, second] = [await testFlow(flow), await testFlow(flow)];
    first.expectState('Completed');
    const keys = [first, second].flatMap((run) => [...run.tasksOf('pay'), run.task('refund')].map(({ result }) => result as string));
    expect(new Set(keys).size).toBe(8);
    expect(new Set(seen)).toEqual(new Set(keys.filter((key) => seen.includes(key))));
    expect(seen).toHaveLength(18);
    expect(new Set(seen).size).toBe(6);
    for (const key of keys) expect(key).toMatch(keyForm);
  });

  test('is the same after the process was lost, though nothing of the task run was recorded', async () => {
    const seen: string[] = [];
    const pay = (then: (ctx: TaskContext) => unknown) =>
      makeFlow({
        pay: {
          does: (ctx: TaskContext) => {
            seen.push(ctx.idempotencyKey);
            return then(ctx);
          },
        },
      });
    const taken = await takeOver(
      pay(() => hang()),
      pay(() => 'paid'),
      // As a process leaves it that dies before the first flush.
      {
        between: async ({ results, handle }) => {
          const database = new Database(join(dirname(results), 'batuta.db'));
          database.exec(`delete from task_runs where run_id = '${handle.id}'`);
          database.close();
        },
      },
    );
    expect(taken.run.state.name).toBe('Completed');
    expect(seen).toHaveLength(2);
    expect(new Set(seen).size).toBe(1);
  });
});

describe('correlation headers', () => {
  test('name the run, the task run and the trace wherever code of a run runs, and nothing outside of one', async () => {
    expect(correlationHeaders()).toEqual({});
    const deep = async (): Promise<Record<string, string>> => {
      await new Promise((resolve) => setImmediate(resolve));
      return correlationHeaders();
    };
    @Flow()
    class Orders {
      async run(_params: unknown, _ctx: FlowContext): Promise<unknown> {
        return correlationHeaders();
      }
    }
    const run = await testFlow(makeFlow({ ask: { does: deep } }));
    const { id } = run.inspection.run;
    const task = run.inspection.taskRuns[0] ?? { id: '' };
    const headers = run.task('ask').result as Record<string, string>;
    expect(headers).toEqual({
      'x-run-id': id,
      'x-task-id': task.id,
      traceparent: `00-${id.replaceAll('-', '')}-${task.id.replaceAll('-', '').slice(16)}-01`,
    });
    expect(isTraceparent(headers['traceparent'] ?? '')).toBe(true);
    const body = await testFlow(Orders);
    expect(body.result).toEqual({
      'x-run-id': body.inspection.run.id,
      traceparent: traceparentOf(body.inspection.run.id, body.inspection.run.id, null),
    });
  });

  test('keep the trace and the flags of the request that submitted the run', () => {
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    expect(traceparentOf('a run', 'a task', given)).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
    expect(traceIdOf('a run', given)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(traceIdOf('a run', null)).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ['nothing', ''],
    ['an id of zeros', '00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
    ['a span of zeros', '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01'],
    ['version ff', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['version 00 with more', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x'],
    ['capital letters', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
  ])('a traceparent is none that is %s', (_, text) => {
    expect(isTraceparent(text)).toBe(false);
  });

  test('a later version of a traceparent may hold more', () => {
    expect(isTraceparent('01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more')).toBe(true);
  });
});
