import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { FlowClass, TaskContext } from 'batuta';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { after, before, freeze, hang, ledger, takeOver } from '../../support/take-over.ts';

describe('a graph that is taken over', () => {
  const graph = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        done: { does: () => (ledger.push('done'), [1, 2, 3]) },
        failed: { does: () => (ledger.push('failed'), failing('on record')()) },
        skipped: { when: () => (ledger.push('asked'), false) },
        inFlight: { needs: ['done'], does: () => (ledger.push('inFlight'), hangs ? hang() : 'now') },
        below: { needs: ['inFlight'], does: () => ledger.push('below') },
        belowFailed: { needs: ['failed'] },
      },
      { name: 'graph' },
    );

  test('executes nothing again that was recorded, done, failed or skipped, and everything that was in flight', async () => {
    const { run, rows } = await takeOver(graph(true), graph(false));
    expect(after()).toEqual(['inFlight', 'below']);
    expect(run).toMatchObject({ state: { name: 'Failed', message: 'Task failed failed: on record' }, epoch: 2, recoveries: 1, attempt: 1 });
    expect(Object.fromEntries(rows.map((row) => [row.name, `${row.state.name} ${row.attempt}`]))).toEqual({
      done: 'Completed 1',
      failed: 'Failed 1',
      skipped: 'Skipped 0',
      inFlight: 'Completed 2',
      below: 'Completed 1',
      belowFailed: 'UpstreamFailed 0',
    });
  });

  const mapped = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        list: { does: () => Array.from({ length: 40 }, (_, at) => at) },
        work: {
          each: 'list',
          eachLimit: 4,
          when: (item: number) => item !== 5,
          does: (item: number) => (ledger.push(`work ${item}`), hangs && item >= 20 ? hang() : item * 2),
        },
        sum: { needs: ['work'], does: (all: number[]) => all.reduce((a, b) => a + b, 0) },
      },
      { name: 'mapped' },
    );

  test('of a mapped task only the items without record run', async () => {
    const { run, result, rows } = await takeOver(mapped(true), mapped(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe(2 * ((39 * 40) / 2 - 5));
    const recorded = before().filter((line) => Number(line.slice(5)) < 20);
    expect(after().filter((line) => recorded.includes(line))).toEqual([]);
    expect(rows.filter((row) => row.name === 'work')).toHaveLength(40);
  });

  const retrying = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        shaky: {
          retries: 2,
          does: (ctx: TaskContext) => {
            ledger.push(`attempt ${ctx.task.attempt}`);
            if (hangs && ctx.task.attempt === 2) return hang();
            throw new Error('again');
          },
        },
      },
      { name: 'retrying' },
    );

  test('an attempt that a crash has interrupted does not count against the retries', async () => {
    const { rows } = await takeOver(retrying(true), retrying(false));
    expect(ledger).toEqual(['attempt 1', 'attempt 2', '---', 'attempt 3', 'attempt 4']);
    expect(rows[0]).toMatchObject({ state: { name: 'Failed' }, attempt: 4 });
  });

  const waiting = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        shaky: {
          retries: 1,
          retryDelay: '1h',
          does: (ctx: TaskContext) => {
            ledger.push(`attempt ${ctx.task.attempt}`);
            throw new Error('again');
          },
        },
        beside: {
          does: async () => {
            while (!ledger.includes('attempt 1')) await turn();
            for (let left = 20; left > 0; left--) await turn();
            return hangs ? hang() : ledger.push('beside');
          },
        },
      },
      { name: 'waiting' },
    );

  test('an attempt that waits for its instant still waits for that one', async () => {
    const { first, handle, openOther } = await freeze(waiting(true));
    const shaky = async () => (await first.store.taskRuns.ofRun(handle.id)).find(({ name }) => name === 'shaky');
    const row = await shaky();
    expect(row).toMatchObject({ state: { name: 'AwaitingRetry' }, attempt: 1, failures: 1, dueAt: expect.any(Number) as number });
    ledger.push('---');
    const second = await openOther({ isOwnerGone: () => true, flows: [waiting(false)], settings: { suspendOverMs: 100 } });
    const run = await (await second.client.runs.resume(handle.id)).done();
    expect(after()).toEqual(['beside']);
    expect(run).toMatchObject({ state: { name: 'AwaitingRetry' }, owner: null, dueAt: row?.dueAt });
    expect(await shaky()).toEqual(row);
  });

  const flowRetrying = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        kept: { does: () => ledger.push('kept') },
        shaky: {
          needs: ['kept'],
          does: (_kept: unknown, ctx: TaskContext) => {
            ledger.push(`shaky in ${ctx.run.attempt}`);
            if (hangs && ctx.run.attempt === 2) return hang();
            if (!hangs && ledger.length > 6) return 'fine';
            throw new Error('again');
          },
        },
      },
      { name: 'flow-retrying', retries: 2 },
    );

  test('a flow goes on in the attempt it was in, with the retries it has left', async () => {
    const { run } = await takeOver(flowRetrying(true), flowRetrying(false));
    expect(ledger).toEqual(['kept', 'shaky in 1', 'shaky in 2', '---', 'shaky in 2', 'shaky in 3']);
    expect(run).toMatchObject({ state: { name: 'Failed' }, attempt: 3 });
  });
});
