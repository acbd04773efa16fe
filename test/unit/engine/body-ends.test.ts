/** The end of a code flow's body: what it still waits for is dropped, and the run ends with what the body came to. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, On, Task } from 'batuta';
import { testFlow, type TestRun } from 'batuta/testing';
import { expectAllEnded } from '../../support/cancelled.ts';
import { gate } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { until } from '../../support/room.ts';
import { Steps } from './steps.ts';

const states = (run: TestRun): string[] => run.tasks.map(({ name, state }) => `${name} ${state.name}`).toSorted();

@Flow()
class Waiting extends Steps {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    await this.step('begun');
    return ctx.waitFor('never');
  }
}

@Flow()
class Quick extends Steps {
  async run(): Promise<string> {
    return this.step('quick');
  }
}

type Race = readonly [name: string, wait: (ctx: FlowContext, flow: Steps) => Promise<unknown>, result: string, states: readonly string[]];
const races: readonly Race[] = [
  [
    'a signal against a signal',
    (ctx) => Promise.race([ctx.waitFor('approve').then(() => 'approved'), ctx.waitFor('reject').then(() => 'rejected')]),
    'rejected',
    ['signal:approve Cancelled', 'signal:reject Completed'],
  ],
  [
    'a signal that does not come against a sleep',
    (ctx) => Promise.race([ctx.waitFor('never'), ctx.sleep('3 days').then(() => 'slept')]),
    'slept',
    ['ctx.sleep Completed', 'signal:never Cancelled'],
  ],
  [
    'a signal that comes against a sleep',
    (ctx) => Promise.race([ctx.waitFor('reject').then(() => 'rejected'), ctx.sleep('3 days')]),
    'rejected',
    ['ctx.sleep Cancelled', 'signal:reject Completed'],
  ],
  [
    'a signal with a timeout against a task',
    (ctx, flow) => Promise.any([ctx.waitFor('never', { timeout: '1 day' }), flow.step('stepped')]),
    'stepped',
    ['signal:never Cancelled', 'step Completed'],
  ],
  [
    'a sub-flow that only waits against a sleep',
    (ctx) => Promise.race([ctx.runFlow(Waiting), ctx.sleep('1h').then(() => 'slept')]),
    'slept',
    ['ctx.sleep Completed', 'flow:waiting Cancelled'],
  ],
  [
    'a signal that does not come against a sub-flow',
    (ctx) => Promise.race([ctx.waitFor('never'), ctx.runFlow(Quick)]),
    'quick',
    ['flow:quick Completed', 'signal:never Cancelled'],
  ],
  [
    'a loop of sleeps and tasks against a signal',
    (ctx, flow) =>
      Promise.race([
        ctx.sleep('90s').then(() => 'over'),
        (async () => {
          for (;;) {
            await ctx.sleep('1m');
            await flow.step('looked');
          }
        })(),
      ]),
    'over',
    ['ctx.sleep Cancelled', 'ctx.sleep Completed', 'ctx.sleep Completed', 'step Completed'],
  ],
  [
    'a task that is given what a signal brings against a sleep',
    (ctx, flow) => Promise.race([flow.join(ctx.waitFor<string>('never')), ctx.sleep('1h').then(() => 'slept')]),
    'slept',
    ['ctx.sleep Completed', 'signal:never Cancelled'],
  ],
  [
    'a task that is given what a sub-flow gives, by way of code of its own, against a task',
    (ctx, flow) => Promise.race([flow.join(ctx.runFlow(Waiting).then((given) => `${String(given)}!`)), flow.step('first')]),
    'first',
    ['flow:waiting Cancelled', 'step Completed'],
  ],
  [
    'waits that nobody awaits',
    async (ctx) => {
      void ctx.waitFor('never').then(() => ctx.sleep('1h'));
      void ctx.sleep('1h');
      void ctx.runFlow(Waiting);
      return 'early';
    },
    'early',
    ['ctx.sleep Cancelled', 'flow:waiting Cancelled', 'signal:never Cancelled'],
  ],
];

describe('a code flow whose body has settled', () => {
  test.each(races)('drops what lost the race: %s', async (_, wait, result, expected) => {
    @Flow()
    class Racing extends Steps {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return wait(ctx, this);
      }
    }
    const run = await testFlow(Racing, {}, { signals: { reject: 1 } });
    run.expectState('Completed');
    expect([run.result, states(run)]).toEqual([result, [...expected]]);
    for (const { state } of run.tasks.filter((row) => row.state.type === 'CANCELLED'))
      expect(state.message).toBe('The flow ended without it.');
    for (const child of run.inspection.children)
      expect(child.state.name).toBe(expected.includes('flow:waiting Cancelled') ? 'Cancelled' : 'Completed');
  });

  test('by a failure ends Failed with its hooks, whatever else it waited for', async () => {
    const called: string[] = [];
    @Flow()
    class FailingAll extends Steps {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return Promise.all([ctx.waitFor('never'), ctx.sleep('1 day'), ctx.runFlow(Waiting), this.fail('it broke')]);
      }
      @On('failed')
      told(): void {
        called.push('failed');
      }
    }
    const run = await testFlow(FailingAll);
    run.expectState('Failed');
    expect([run.error?.message, run.waitedMs, called]).toEqual(['it broke', 0, ['failed']]);
    expect(states(run)).toEqual(['ctx.sleep Cancelled', 'fail Failed', 'flow:waiting Cancelled', 'signal:never Cancelled']);
  });

  test('waits anew for what was dropped when the flow is tried again', async () => {
    let attempts = 0;
    @Flow({ retries: 1 })
    class Again extends Steps {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        attempts++;
        return Promise.all([ctx.waitFor('late'), ctx.runFlow(Patient), attempts === 1 ? this.fail('at first') : 'fine']);
      }
    }
    @Flow()
    class Patient extends Steps {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        await ctx.sleep('1h');
        return 'waited';
      }
    }
    const run = await testFlow(Again, {}, { signals: { late: 'here' } });
    run.expectState('Completed');
    expect([run.result, attempts]).toEqual([['here', 'waited', 'fine'], 2]);
  });

  test('finishes tasks under way, and lets nothing else wait meanwhile', async () => {
    const { opened, open } = gate();
    @Flow()
    class Busy extends Steps {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        void this.slow().then(() => ctx.sleep('1h'));
        void ctx.waitFor('never');
        return 'early';
      }
      @Task()
      async slow(): Promise<string> {
        await opened;
        return 'late';
      }
    }
    const at = await ownEngine();
    const handle = await at.client.submit(Busy);
    await until(async () => {
      await at.store.recorder.flush();
      return (await at.store.taskRuns.ofRun(handle.id)).some(({ name, state }) => name === 'signal:never' && state.name === 'Cancelled');
    });
    expect((await at.client.runs.get(handle.id)).state.name).toBe('Running');
    open();
    expect(await handle.result()).toBe('early');
    const rows = await at.store.taskRuns.ofRun(handle.id);
    expect(rows.map(({ name, state }) => `${name} ${state.name}`).toSorted()).toEqual(['signal:never Cancelled', 'slow Completed']);
  });

  test('begins no further tasks: a loop of them that lost a race ends', async () => {
    @Flow()
    class Looping extends Steps {
      async run(): Promise<string> {
        const loop = async (): Promise<string> => {
          for (let at = 0; ; at++) await this.step(`looked ${at}`);
        };
        return Promise.race([this.step('first'), loop()]);
      }
    }
    const at = await ownEngine();
    const handle = await at.client.submit(Looping);
    expect(await handle.result()).toBe('first');
  });

  test('finishes what it had asked for with what tasks under way give', async () => {
    @Flow()
    class Early extends Steps {
      async run(): Promise<string> {
        void this.join(
          this.step('a'),
          this.step('b').then((given) => given.toUpperCase()),
        );
        return 'early';
      }
    }
    const run = await testFlow(Early);
    run.expectState('Completed');
    expect(states(run)).toEqual(['join Completed', 'step Completed', 'step Completed']);
    expect(run.task('join').result).toBe('a+B');
  });

  test('by a cancel ends, though a call waits for an argument that never comes', async () => {
    const begun = gate();
    @Flow()
    class Stuck extends Steps {
      async run(): Promise<unknown> {
        const never = new Promise<string>(() => undefined);
        await this.step('begun');
        begun.open();
        return this.join(never);
      }
    }
    const at = await ownEngine({ settings: { graceMs: 50 } });
    const handle = await at.client.submit(Stuck);
    await begun.opened;
    await at.client.runs.cancel(handle.id);
    expect((await handle.done()).state.name).toBe('Cancelled');
  });

  test('cancels sub-flows with what they have under way', async () => {
    const begun = gate();
    @Flow()
    class Below {
      async run(): Promise<void> {
        await this.hang();
      }
      @Task()
      async hang(): Promise<void> {
        begun.open();
        await new Promise(() => undefined);
      }
    }
    @Flow()
    class Above {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return Promise.race([ctx.runFlow(Below), begun.opened.then(() => 'first')]);
      }
    }
    const at = await ownEngine({ settings: { graceMs: 50 } });
    const handle = await at.client.submit(Above);
    expect(await handle.result()).toBe('first');
    await expectAllEnded(at, handle.id);
    expect((await at.store.runs.children(handle.id)).map(({ state }) => `${state.name}: ${state.message}`)).toEqual([
      'Cancelled: The flow ended without it.',
    ]);
  });
});
