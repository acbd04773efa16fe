import { readdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batuta-resume-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What was executed, in order; a task writes its name here. */
let ledger: string[] = [];
/** Opened by the code of a flow at the point where its owner is to be lost. */
let here = gate();

/** Executions that hang are those of the owner that is lost: it stays frozen at that point. */
const hang = (): Promise<never> => {
  here.open(undefined);
  return new Promise(() => undefined);
};

interface Taken {
  readonly first: OpenEngine;
  readonly second: OpenEngine;
  readonly run: Run;
  readonly rows: readonly TaskRun[];
  readonly result: unknown;
  readonly runId: string;
  close(): Promise<void>;
}

let databases = 0;

/** Starts the run, freezes its owner where its code hangs, and lets another owner, who has `later` for its code, take it to its end. */
async function takeOver(
  flow: FlowClass,
  later: FlowClass,
  params: unknown = {},
  between: (first: OpenEngine, runId: string) => Promise<unknown> = async () => undefined,
): Promise<Taken> {
  ledger = [];
  here = gate();
  const place = join(folder, String(databases++));
  const parts = { url: `sqlite:${place}.db`, results: place };
  const first = await openEngine({ ...parts, isOwnerGone: () => false });
  const begun = await first.client.submit(flow, params);
  await here.opened;
  await first.store.recorder.flush();
  await between(first, begun.id);
  ledger.push('---');
  const second = await openEngine({ ...parts, isOwnerGone: () => true, flows: [later] });
  const handle = await second.client.runs.resume(begun.id);
  const run = await handle.done();
  const result = run.state.type === 'COMPLETED' ? await handle.result() : undefined;
  const rows = await second.store.taskRuns.ofRun(run.id);
  const close = async (): Promise<void> => {
    await second.client.close();
    await first.client.close({ graceMs: 0 });
  };
  return { first, second, run, rows, result, runId: run.id, close };
}

const after = (): string[] => ledger.slice(ledger.indexOf('---') + 1);

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
    const { run, rows, close } = await takeOver(graph(true), graph(false));
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
    await close();
  });

  const memory = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        a: { persist: false, does: () => (ledger.push('a'), () => 'a') },
        unused: { persist: false, needs: ['a'], does: () => ledger.push('unused') },
        b: { persist: false, needs: ['a'], does: (a: () => string) => (ledger.push('b'), { a }) },
        recorded: { needs: ['unused'], does: () => ledger.push('recorded') },
        c: { needs: ['b'], does: (b: { a: () => string }) => (ledger.push('c'), hangs ? hang() : b.a()) },
      },
      { name: 'memory', result: 'c' },
    );

  test('a value that was kept in memory is made again where one that is to run needs it, and only there', async () => {
    const { run, result, close } = await takeOver(memory(true), memory(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe('a');
    expect(after()).toEqual(['a', 'b', 'c']);
    await close();
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
    const { run, result, rows, close } = await takeOver(mapped(true), mapped(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe(2 * ((39 * 40) / 2 - 5));
    const before = ledger.slice(0, ledger.indexOf('---'));
    const recorded = before.filter((line) => Number(line.slice(5)) < 20);
    expect(after().filter((line) => recorded.includes(line))).toEqual([]);
    expect(rows.filter((row) => row.name === 'work')).toHaveLength(40);
    await close();
  });

  const large = (hangs: boolean): FlowClass =>
    makeFlow(
      {
        big: { does: () => (ledger.push('big'), new Map([['text', 'é'.repeat(200_000)]])) },
        last: { needs: ['big'], does: (big: Map<string, string>) => (hangs ? hang() : big.get('text')?.length) },
      },
      { name: 'large' },
    );

  test('a result of more than 256 KiB is in the result storage, and comes back from there', async () => {
    const { result, rows, runId, close } = await takeOver(large(true), large(false));
    expect(result).toBe(200_000);
    expect(after()).toEqual([]);
    const big = rows.find((row) => row.name === 'big');
    expect(big).toMatchObject({ result: null, resultRef: `${runId}/${big?.id}-1` });
    expect(await readdir(join(folder, String(databases - 1), runId))).toEqual([`${big?.id}-1.json`]);
    await close();
  });

  test.each(['gone', 'damaged'])(
    'a stored result that is %s fails what needs it, and says what to do; the task is not run again',
    async (how) => {
      ledger = [];
      here = gate();
      const place = join(folder, String(databases++));
      const parts = { url: `sqlite:${place}.db`, results: place };
      const first = await openEngine({ ...parts, isOwnerGone: () => false });
      const { id } = await first.client.submit(large(true));
      await here.opened;
      await first.store.recorder.flush();
      const [file = ''] = await readdir(join(place, id));
      await (how === 'gone' ? rm(join(place, id, file)) : writeFile(join(place, id, file), '{"json":{"a"'));
      const second = await openEngine({ ...parts, isOwnerGone: () => true, flows: [large(false)] });
      const handle = await second.client.runs.resume(id);
      await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_FAILED', cause: { code: 'RESULT_MISSING' } });
      expect(ledger).toEqual(['big']);
      await second.client.close();
      await first.client.close({ graceMs: 0 });
    },
  );

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
    const { rows, close } = await takeOver(retrying(true), retrying(false));
    expect(ledger).toEqual(['attempt 1', 'attempt 2', '---', 'attempt 3', 'attempt 4']);
    expect(rows[0]).toMatchObject({ state: { name: 'Failed' }, attempt: 4 });
    await close();
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
    const { run, close } = await takeOver(flowRetrying(true), flowRetrying(false));
    expect(ledger).toEqual(['kept', 'shaky in 1', 'shaky in 2', '---', 'shaky in 2', 'shaky in 3']);
    expect(run).toMatchObject({ state: { name: 'Failed' }, attempt: 3 });
    await close();
  });
});

describe('parameters', () => {
  test('come back as they were validated, dates and all', async () => {
    const dated = (hangs: boolean): FlowClass =>
      makeFlow(
        { give: { does: (ctx: TaskContext) => (hangs ? hang() : ctx.params) } },
        { name: 'dated', params: z.object({ at: z.coerce.date() }) },
      );
    const { result, close } = await takeOver(dated(true), dated(false), { at: '2024-02-29' });
    expect(result).toEqual({ at: new Date('2024-02-29') });
    await close();
  });
});

describe('a code flow that is taken over', () => {
  abstract class Orders {
    abstract run(params: unknown, ctx: FlowContext): Promise<unknown>;

    @Task()
    async fetch(id: number): Promise<string> {
      ledger.push(`fetch ${id}`);
      return `order ${id}`;
    }

    @Task()
    async wait(): Promise<string> {
      ledger.push('wait');
      return 'now';
    }

    @Task()
    async refuse(id: number): Promise<never> {
      ledger.push(`refuse ${id}`);
      throw new Error(`no ${id}`);
    }

    @Task()
    async call(given: () => string): Promise<string> {
      ledger.push('call');
      return given();
    }
  }

  @Flow({ name: 'orders' })
  class Before extends Orders {
    async run(): Promise<unknown> {
      await this.refuse(1).catch(() => undefined);
      await this.call(() => 'opaque');
      return [await this.fetch(1), await this.fetch(2), await this.fetch(1), await this.wait()];
    }

    @Task()
    override async wait(): Promise<string> {
      return hang();
    }
  }

  @Flow({ name: 'orders' })
  class Same extends Orders {
    async run(): Promise<unknown> {
      const refused = await this.refuse(1).catch((error: Error) => error.message);
      await this.call(() => 'opaque');
      return [refused, await this.fetch(1), await this.fetch(2), await this.fetch(1), await this.wait()];
    }
  }

  @Flow({ name: 'orders' })
  class Changed extends Orders {
    async run(): Promise<unknown> {
      return [await this.fetch(3), await this.fetch(2), await this.fetch(1), await this.fetch(2)];
    }
  }

  test('takes what was recorded, also a failure that was caught; inputs that cannot be told apart never match', async () => {
    const { run, result, close } = await takeOver(Before, Same);
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual(['no 1', 'order 1', 'order 2', 'order 1', 'now']);
    expect(after()).toEqual(['call', 'wait']);
    await close();
  });

  test('whose code has changed takes no wrong result, and leaves nothing open of what it no longer calls', async () => {
    const { run, result, rows, close } = await takeOver(Before, Changed);
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual(['order 3', 'order 2', 'order 1', 'order 2']);
    expect(after()).toEqual(['fetch 3', 'fetch 2']);
    expect(rows.filter((row) => row.name === 'wait').map((row) => [row.state.name, row.state.message])).toEqual([
      ['Cancelled', 'The run went on without it.'],
    ]);
    await close();
  });
});

describe('a sub-flow that is taken over', () => {
  const child = (hangs: boolean): FlowClass =>
    makeFlow(
      { one: { does: () => ledger.push('one') }, two: { needs: ['one'], does: () => (ledger.push('two'), hangs ? hang() : 'child') } },
      { name: 'child' },
    );

  const parent = (hangs: boolean): FlowClass => {
    const Child = child(hangs);
    @Flow({ name: 'parent' })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        await this.prepare();
        return ctx.runFlow(Child);
      }

      @Task()
      async prepare(): Promise<void> {
        ledger.push('prepare');
      }
    }
    return Parent;
  };

  test('goes on in the run that it had, with what that has recorded', async () => {
    const { run, result, second, close } = await takeOver(parent(true), parent(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe('child');
    expect(after()).toEqual(['two']);
    expect((await second.store.runs.children(run.id)).map((it) => [it.state.name, it.epoch, it.recoveries])).toEqual([['Completed', 2, 1]]);
    await close();
  });

  const between = (hangs: boolean): FlowClass => {
    const Child = makeFlow({ one: { does: () => ledger.push('one') } }, { name: 'child' });
    @Flow({ name: 'parent' })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        const value = await ctx.runFlow(Child);
        return hangs ? hang() : value;
      }
    }
    return Parent;
  };

  test('that has ended is not run again', async () => {
    const { result, close } = await takeOver(between(true), between(false));
    expect(result).toBe(1);
    expect(after()).toEqual([]);
    await close();
  });

  test('of which the parent knows, but which was never made, is made under the id that was noted', async () => {
    let noted: string | undefined;
    const { run, result, second, close } = await takeOver(parent(true), parent(false), {}, async ({ store }, runId) => {
      noted = (await store.taskRuns.ofRun(runId)).find((row) => row.childRunId !== null)?.childRunId ?? undefined;
      await store.runs.delete(noted ?? '', { force: true });
    });
    expect(result).toBe('child');
    expect(after()).toEqual(['one', 'two']);
    expect((await second.store.runs.children(run.id)).map((child) => child.id)).toEqual([noted]);
    await close();
  });
});

describe('the owner that was lost', () => {
  test('writes nothing more, and ends its run as given up', async () => {
    ledger = [];
    here = gate();
    const url = `sqlite:${join(folder, `${databases++}.db`)}`;
    const woken = gate();
    const slow = (wait: boolean): FlowClass =>
      makeFlow(
        {
          first: { does: () => (here.open(undefined), wait ? woken.opened.then(() => 'the old one') : 'the new one') },
          second: { needs: ['first'], does: (value: string) => (ledger.push(value), value) },
        },
        { name: 'slow' },
      );
    const first = await openEngine({ url, isOwnerGone: () => false });
    const lost = await first.client.submit(slow(true));
    await here.opened;
    await first.store.recorder.flush();
    const second = await openEngine({ url, isOwnerGone: () => true, flows: [slow(false)] });
    const taken = await second.client.runs.resume(lost.id);
    expect(await taken.result()).toBe('the new one');
    const before = await second.client.runs.inspect(lost.id);
    woken.open(undefined);
    await expect(lost.result()).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(ledger).toEqual(['the new one']);
    expect(await second.client.runs.inspect(lost.id)).toEqual(before);
    await first.client.close();
    await second.client.close();
  });

  test('of two that ask at the same time one gets the run, the other is told who has it', async () => {
    const url = `sqlite:${join(folder, `${databases++}.db`)}`;
    ledger = [];
    here = gate();
    const wait = makeFlow({ a: { does: hang } }, { name: 'wait' });
    const first = await openEngine({ url, isOwnerGone: () => false, settings: { leaseMs: 1, heartbeatMs: 60_000 } });
    const { id } = await first.client.submit(wait);
    await here.opened;
    await first.store.recorder.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const others = await Promise.all([1, 2, 3].map(() => openEngine({ url, isOwnerGone: () => false, flows: [wait] })));
    const asked = await Promise.allSettled(others.map((it) => it.client.runs.resume(id)));
    expect(asked.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
    for (const it of asked) if (it.status === 'rejected') expect(it.reason).toMatchObject({ code: 'RUN_OWNED', details: { runId: id } });
    for (const it of [...others, first]) await it.client.close({ graceMs: 0 });
  });

  test('a run that has ended, or is not there, is not resumed', async () => {
    const { client } = await openEngine({ flows: [makeFlow({ a: {} })] });
    const handle = await client.submit(makeFlow({ a: {} }));
    await handle.done();
    await expect(client.runs.resume(handle.id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
    await expect(client.runs.resume('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await client.close();
  });
});
