/** That metrics count what is on record, and nothing else. */
import { Flow, type FlowContext, Measured, Task, type TaskContext } from 'batuta';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { FleetReader } from '../../../src/monitor/fleet-figures.ts';
import { type Metrics, openMetrics } from '../../../src/monitor/open-metrics.ts';
import { openStore } from '../../../src/store/open.ts';
import { compilers, defineFlows } from '../../support/compile-flows.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import type { OpenEngine } from '../../support/open-engine.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { freeze, hang } from '../../support/take-over.ts';

async function measure({ engine, store }: OpenEngine, maxLabelValues = 200): Promise<Metrics> {
  const metrics = await openMetrics(systemClock, maxLabelValues);
  onTestFinished(metrics.join({ role: 'worker', lifecycle: engine.services.lifecycle, store }));
  return metrics;
}

/** Values by their labels, `hello/Completed`. */
async function valuesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const values = await metrics.registry.values(name);
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join('/'), value]));
}

describe('metrics of runs', () => {
  test('count runs and task runs by flow, task and state as the store has them, with retries and durations', async () => {
    let isFirst = true;
    const does = (): number => {
      if (!isFirst) return 1;
      isFirst = false;
      throw new Error('once');
    };
    const good = makeFlow({ first: { retries: 1, does }, second: { needs: ['first'] } }, { name: 'good' });
    const bad = makeFlow({ load: { does: failing() }, after: { needs: ['load'] } }, { name: 'bad' });
    const opened = await ownEngine({ flows: [good, bad] });
    const metrics = await measure(opened);
    for (const flow of [good, good, bad]) await (await opened.client.submit(flow, {})).done();
    expect(await valuesOf(metrics, 'batuta_runs_started_total')).toEqual({ good: 2, bad: 1 });
    expect(await valuesOf(metrics, 'batuta_runs_total')).toEqual({ 'good/Completed': 2, 'bad/Failed': 1 });
    expect(await valuesOf(metrics, 'batuta_task_runs_total')).toEqual({
      'good/first/Completed': 2,
      'good/second/Completed': 2,
      'bad/load/Failed': 1,
      'bad/after/UpstreamFailed': 1,
    });
    expect(await valuesOf(metrics, 'batuta_task_retries_total')).toEqual({ 'good/first': 1 });
    const text = await metrics.text();
    expect(text).toContain('batuta_run_duration_seconds_count{flow="good",state="Completed"} 2');
    expect(text).toContain('batuta_task_duration_seconds_count{flow="good",task="first"} 2');
    expect(text).not.toContain('batuta_task_duration_seconds_count{flow="bad",task="after"}');
  });

  test('what an owner that has lost its run still does is not counted: only what its successor records', async () => {
    const told = (hangs: boolean) => makeFlow({ work: { does: () => (hangs ? hang() : 1) } }, { name: 'taken' });
    const { first, handle, openOther } = await freeze(told(true));
    const lost = await measure(first);
    const second = await openOther({ flows: [told(false)], isOwnerGone: () => true });
    const metrics = await measure(second);
    await second.store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [first.engine.services.owner] });
    await (await second.client.runs.resume(handle.id)).done();
    first.engine.underWay(handle.id)?.cancel('Too late.');
    await first.engine.underWay(handle.id)?.ended.catch(() => undefined);
    await first.store.recorder.flush();
    expect(await valuesOf(metrics, 'batuta_runs_total')).toEqual({ 'taken/Completed': 1 });
    expect(await valuesOf(metrics, 'batuta_runs_recovered_total')).toEqual({ taken: 1 });
    expect(await valuesOf(lost, 'batuta_runs_total')).toEqual({});
    expect(await valuesOf(lost, 'batuta_task_runs_total')).toEqual({});
  });

  test('what could not be written is not counted', async () => {
    const store = await openStore({ url: 'sqlite::memory:' });
    const opened = await ownEngine({ store: { ...store } });
    const metrics = await measure(opened);
    const flow = makeFlow({ work: { does: () => store.close() } }, { name: 'cut' });
    const handle = await opened.client.submit(flow, {});
    await expect(handle.done()).rejects.toThrow(BatutaError);
    expect(await valuesOf(metrics, 'batuta_runs_total')).toEqual({});
    expect(await valuesOf(metrics, 'batuta_task_runs_total')).toEqual({});
  });

  test('flushes are counted with their rows and their time', async () => {
    const flow = makeFlow({ work: {} }, { name: 'flushed' });
    const opened = await ownEngine({ flows: [flow] });
    const metrics = await measure(opened);
    await (await opened.client.submit(flow, {})).done();
    await opened.store.recorder.flush();
    const flushes = await valuesOf(metrics, 'batuta_recorder_flushes_total');
    expect(flushes['written']).toBeGreaterThan(0);
    const text = await metrics.text();
    expect(text).toContain(`batuta_recorder_flush_duration_seconds_count ${flushes['written']}`);
    expect(Number(/batuta_recorder_flush_rows_sum (\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(4);
  });

  test('while the database cannot be read, what the process knows itself is given all the same', async () => {
    const opened = await ownEngine();
    const { services } = opened.engine;
    const fleet = new FleetReader({ store: opened.store, clock: systemClock, leaseMs: 1_000 });
    const metrics = await openMetrics(systemClock, 200);
    metrics.join({ role: 'server', lifecycle: services.lifecycle, store: opened.store, fleet });
    await opened.store.close();
    const text = await metrics.text();
    expect(text).toContain('nodejs_heap_size_used_bytes');
    expect(text).not.toContain('batuta_runs_open{');
  });

  test('a process that has stopped measuring reports to nobody', async () => {
    const opened = await ownEngine();
    const metrics = await openMetrics(systemClock, 200);
    const { lifecycle } = opened.engine.services;
    expect([lifecycle.isHeard, lifecycle.isObserved]).toEqual([false, false]);
    const leave = metrics.join({ role: 'worker', lifecycle, store: opened.store });
    expect([lifecycle.isHeard, lifecycle.isObserved]).toEqual([true, true]);
    leave();
    expect([lifecycle.isHeard, lifecycle.isObserved]).toEqual([false, false]);
  });

  test('flows beyond the cap are counted together as other', async () => {
    const flows = ['a', 'b', 'c', 'd'].map((name) => makeFlow({ work: {} }, { name }));
    const opened = await ownEngine({ flows });
    const metrics = await measure(opened, 2);
    for (const flow of flows) await (await opened.client.submit(flow, {})).done();
    expect(await valuesOf(metrics, 'batuta_runs_total')).toEqual({ 'a/Completed': 1, 'b/Completed': 1, 'other/Completed': 2 });
  });

  test('what the cache answers is counted: a miss makes the value, hits take it', async () => {
    const flow = makeFlow({ slow: { cache: '1h', does: () => 1 } }, { name: 'cached' });
    const opened = await ownEngine({ flows: [flow] });
    const metrics = await measure(opened);
    for (let run = 0; run < 3; run++) await (await opened.client.submit(flow, {})).done();
    expect(await valuesOf(metrics, 'batuta_cache_requests_total')).toEqual({ miss: 1, hit: 2 });
  });
});

@Flow({ name: 'measuring' })
class Measuring {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    ctx.metrics.gauge('bodies_open', { labels: ['where'] }).set(3, { where: 'body' });
    await this.count(ctx);
  }

  @Task()
  async count(ctx: TaskContext): Promise<void> {
    ctx.metrics.add('rows', 5);
    ctx.metrics.counter('orders', { help: 'Orders taken.', labels: ['city'] }).add(2, { city: 'Li"ma\n' });
    ctx.metrics.histogram('order_size_bytes', { buckets: [10, 100] }).observe(50);
  }
}

describe('metrics of flows', () => {
  test('from tasks and the body of a code flow are exposed beside those of Batuta; numbers of the task run stay as they are', async () => {
    const opened = await ownEngine({ flows: [Measuring] });
    const metrics = await measure(opened);
    const run = await (await opened.client.submit(Measuring, {})).done();
    expect(run.state.name).toBe('Completed');
    const text = await metrics.text();
    expect(text).toContain('# HELP orders_total Orders taken.\n# TYPE orders_total counter\norders_total{city="Li\\"ma\\n"} 2');
    expect(text).toContain('bodies_open{where="body"} 3');
    expect(text).toContain('order_size_bytes_bucket{le="100"} 1');
    expect((await opened.store.taskRuns.ofRun(run.id))[0]?.metrics).toEqual({ rows: 5 });
  });

  test('that are not allowed fail their task, which says why; without anyone who measures, the others go nowhere', async () => {
    const flow = makeFlow({ work: { does: (ctx: TaskContext) => ctx.metrics.counter('not a name').add(1) } }, { name: 'wrong' });
    const { client } = await ownEngine({ flows: [flow, Measuring] });
    const run = await (await client.submit(flow, {})).done();
    expect(run.error).toMatchObject({ code: 'METRIC_INVALID' });
    expect((await (await client.submit(Measuring, {})).done()).state.name).toBe('Completed');
  });

  test.each(compilers)(
    '@Measured measures methods of tasks and of other classes, and changes nothing about them ($name)',
    async (compiler) => {
      const code = `
      class Helper {
        @Measured({ name: 'helper_seconds' }) twice(value) { return 2 * value; }
        @Measured() async fail() { throw new TypeError('no'); }
      }
      @Flow({ name: 'measured' })
      class Outer {
        @Task() @Measured() async work(ctx) {
          const helper = new Helper();
          await helper.fail().catch(() => undefined);
          return helper.twice(21);
        }
      }`;
      const { Outer, Helper } = await defineFlows(compiler, code, { Measured });
      if (Outer === undefined || Helper === undefined) throw new Error('not defined');
      const opened = await ownEngine({ flows: [Outer] });
      const metrics = await measure(opened);
      const handle = await opened.client.submit(Outer, {});
      expect(await handle.result()).toBe(42);
      const text = await metrics.text();
      expect(text).toContain('helper_seconds_count{class="Helper",method="twice",outcome="ok"} 1');
      expect(text).toContain('method_duration_seconds_count{class="Helper",method="fail",outcome="error"} 1');
      expect(text).toContain('method_duration_seconds_count{class="Outer",method="work",outcome="ok"} 1');
      expect((new Helper() as unknown as { twice(value: number): number }).twice(2)).toBe(4);
    },
  );
});
