/** What a program reports is on the server as it is in its own store, over both databases of the server. */
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';
import { makers, type Place } from '../../contract/store/makers.ts';
import { makeProgramPlace, type ProgramPlace } from '../../support/reporting.ts';

@Flow({ tags: ['north'] })
class Harvest {
  @Task() async field(ctx: TaskContext) {
    ctx.log.info({ rows: 3 }, 'cut');
    await ctx.artifact.table('rows', [{ a: 1 }]);
    return [1, 2, 3];
  }
  @Task({ each: 'field' }) async row(n: number) {
    return n * 2;
  }
  @Task({ needs: ['row'] }) async whole(rows: number[]) {
    return 'x'.repeat(rows.length * 100_000);
  }
}

/** Names of users' own making: of several lines, long, many. */
@Flow({ runName: () => 'first line\nsecond\tline', tags: Array.from({ length: 150 }, (_, at) => `tag ${at}`) })
class Odd {
  @Task({ runName: () => `reads\n${'x'.repeat(300)}` }) async read(ctx: TaskContext) {
    ctx.metrics.add('rows\nread', 3);
    await ctx.artifact.json('n'.repeat(3_000), { a: 1 });
    throw new TypeError('no\nwater');
  }
}

@Flow()
class Breaks {
  @Task() async works() {
    return 1;
  }
  @Task({ needs: ['works'] }) async fails() {
    throw new TypeError('no water');
  }
}

let release: () => void = () => undefined;
@Flow()
class Holds {
  @Task() async wait() {
    await new Promise<void>((resolve) => (release = resolve));
    return 'held';
  }
}

@Flow()
class Goes {
  @Task() async far(ctx: TaskContext) {
    ctx.artifact.progress('copied', 0.25);
    await new Promise<void>((resolve) => (release = resolve));
    ctx.artifact.progress('copied', 1);
  }
}

@Flow()
class Calls {
  @Task() async one(n: number) {
    return n;
  }
  async run(_params: object, ctx: FlowContext) {
    return [await this.one(1), await ctx.runFlow(Breaks, {}).catch(() => 'broke')];
  }
}

describe.each(makers)('a server on $name', (maker) => {
  let place: Place;
  let api: Api;
  let url: string;
  let program: ProgramPlace;
  beforeEach(async () => {
    place = await maker.makePlace();
    api = await openApi({ databaseUrl: place.url });
    const admin = await api.key('admin');
    url = await api.listen();
    program = makeProgramPlace(() => url, await api.key('reporter'));
    Object.assign(headers, { key: admin });
  });
  afterEach(async () => {
    release();
    await program.remove();
    await api.close();
    await place.remove();
  });
  const headers: { key?: string } = {};
  const get = async (path: string) => (await api.get(`/api/${path}`, headers)).json;

  it('has runs, task runs, history, lines and artifacts of a program that reports as its own store has them', async () => {
    const { client, store, close } = await program.open();
    const ids: string[] = [];
    for (const flow of [Harvest, Breaks, Calls, Odd]) {
      const handle = await client.submit(flow, {});
      await handle.done();
      ids.push(handle.id);
    }
    const [child] = await store.runs.children(ids[2] as string);
    ids.push(child?.id as string);
    const near = await Promise.all(ids.map((id) => everythingOf(store, id)));
    await close();
    const far = await Promise.all(ids.map((id) => everythingOf(api.client.engine.services.store, id)));
    expect(far.map(({ run: _run, ...rest }) => rest)).toEqual(near.map(({ run: _run, ...rest }) => rest));
    for (const [at, { run }] of far.entries()) {
      const { owner, leaseUntil: _lease, epoch: _epoch, resultRef, source: _source, result, ...rest } = run;
      const own = near[at]?.run;
      expect(own).toMatchObject(rest);
      expect(owner).toMatchObject({ reporter: { name: 'edge', version: '1.0.0' }, pid: process.pid });
      // What is too long to travel stays where it ran.
      if (resultRef !== null) expect([resultRef, result]).toEqual([expect.stringMatching(/^elsewhere:/), null]);
      else expect(result).toBe(own?.result);
    }
    expect((await get(`runs/${ids[0]}/graph`)).items.map(({ name }: { name: string }) => name)).toEqual(['field', 'row', 'whole']);
  });

  it('follows a progress as it goes on', async () => {
    const { client, close } = await program.open();
    const handle = await client.submit(Goes, {});
    const shares = async () => (await api.client.engine.services.store.artifacts.ofRun(handle.id)).map(({ data }) => data);
    await vi.waitFor(async () => expect(await shares()).toMatchObject([{ value: 0.25 }]), 10_000);
    release();
    await handle.done();
    await close();
    expect(await shares()).toMatchObject([{ value: 1 }]);
  });

  it('shows a run while it goes on, marked with where it runs, and refuses to change it', async () => {
    const { client, close } = await program.open();
    const handle = await client.submit(Holds, {});
    await vi.waitFor(async () => expect((await get(`runs/${handle.id}`)).run?.state.type).toBe('RUNNING'), 10_000);
    const [reporter] = (await get('reporters')).items;
    expect(reporter).toMatchObject({ name: 'edge', version: '1.0.0', state: 'reporting', openRuns: 1 });
    for (const change of ['cancel', 'retry', 'signal']) {
      const body = change === 'signal' ? { name: 'go' } : {};
      const { status, json } = await api.post(`/api/runs/${handle.id}/${change}`, body, headers);
      expect([change, status, json.error.code]).toEqual([change, 409, 'RUN_REPORTED']);
    }
    // Nobody here takes it for lost, or for one that waits.
    const { store } = api.client.engine.services;
    expect((await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] })).waiting).toEqual([]);
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
    release();
    await handle.result();
    await close();
    expect((await get(`runs/${handle.id}`)).run.state.name).toBe('Completed');
    expect((await get('reporters')).items).toMatchObject([{ state: 'stopped', openRuns: 0, waitingItems: 0 }]);
  });
});

async function everythingOf(store: Api['client']['engine']['services']['store'], id: string) {
  const run = await store.runs.get(id);
  if (run === null) throw new Error(`There is no run ${id}.`);
  const [tasks, transitions, logs, artifacts] = await Promise.all([
    store.taskRuns.ofRun(id),
    store.transitions.ofRun(id),
    store.logs.ofRun(id),
    store.artifacts.ofRun(id),
  ]);
  const withoutRef = tasks.map(({ resultRef: _ref, result, ...task }) => ({
    ...task,
    result: (result?.length ?? 0) > 65_536 ? null : result,
  }));
  return { run, tasks: withoutRef, transitions, logs: logs.map(({ seq: _seq, ...line }) => line), artifacts };
}
