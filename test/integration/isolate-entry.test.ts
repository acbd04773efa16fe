import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFile } from '../../src/base/installed.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Guest } from '../../src/engine/isolate/guest.ts';
import { GuestPool } from '../../src/engine/isolate/guest-pool.ts';
import { ProcessGuest } from '../../src/engine/isolate/process-guest.ts';
import { ThreadGuest } from '../../src/engine/isolate/thread-guest.ts';
import { failureOf } from '../../src/model/failure.ts';
import type { GuestMessage, HostMessage, IsolatedJob, IsolatedOutcome } from '../../src/model/isolate-protocol.ts';
import { packValue, unpackValue } from '../../src/model/packed-value.ts';
import { encodeValue } from '../../src/model/values.ts';
import { makeProject, type ProjectFolder } from '../support/project-folder.ts';

const flowCode = `
import { spawnSync } from 'node:child_process';
import { Flow, resource, Task } from 'batuta';
const token = resource('token', async (opening) => 'the ' + (await opening.secret('token')), { scope: 'worker' });
@Flow({ name: 'heavy-flow' })
export class Heavy {
  static loads = 0;
  @Task({ isolate: 'thread' })
  sum(numbers, extra, ctx) { return { sum: [...numbers].reduce((a, b) => a + b, 0n), when: extra, params: ctx.params, key: ctx.idempotencyKey, tenant: ctx.get({ name: 'tenant' }), task: ctx.task.name, at: ctx.run.scheduledFor }; }
  @Task() talk(ctx) {
    console.log('to %s', 'console');
    ctx.log.warn({ rows: 3 }, 'careful');
    ctx.log.trace('too fine');
    ctx.progress(1, 2);
    ctx.progress(2);
    ctx.metrics.add('rows', 2);
    ctx.metrics.set('size', 7);
    ctx.metrics.counter('talks', { labels: ['to'] }).add(1, { to: 'all' });
    ctx.reject({ id: 1n }, 'bad id');
    const round = {}; round.self = round;
    ctx.reject(round, 'round');
  }
  @Task() async keep(ctx) { await ctx.artifact.table('rows', [{ a: 1 }]); return 'kept'; }
  @Task() async *items() { yield 1; yield 2; }
  @Task() fail() { throw Object.assign(new RangeError('too big', { cause: new Error('below') }), { code: 'E_BIG', details: { at: 3 } }); }
  @Task() bad() { return { nested: () => 1 }; }
  @Task() async wait(ctx) { ctx.progress(0); await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve)); return ctx.signal.reason.message; }
  @Task() async leaves(ctx) { void ctx.use(token).catch(() => undefined); await new Promise((resolve) => setImmediate(resolve)); }
  @Task() async takes(ctx) { return ctx.use(token); }
  @Task() native(ctx) { ctx.progress(0); spawnSync('sleep', ['2']); }
  @Task() spin(ctx) { ctx.progress(0); for (;;); }
}
class Inner {}
`;

let project: ProjectFolder;
let file: string;
let guest: Guest;
const entry = builtFile('define/isolate-entry.js');
const makers = {
  thread: () => new ThreadGuest({ entry, memoryBytes: null, clock: systemClock }),
  process: () => new ProcessGuest({ entry, memoryBytes: null, capturePrinted: true, clock: systemClock }),
};
beforeAll(() => {
  project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }' });
  file = project.write(
    'heavy.ts',
    flowCode.replaceAll(/\((numbers, extra, )?ctx\)(?= \{)/g, (_, more: string | undefined) =>
      more ? '(numbers: any, extra: any, ctx: any)' : '(ctx: any)',
    ),
  );
});
afterAll(() => project.remove());

interface Told {
  readonly outcome: IsolatedOutcome;
  readonly messages: GuestMessage[];
}

let lastJob = 0;

async function run(
  task: string,
  args: readonly unknown[] = [],
  change: Partial<IsolatedJob> = {},
  host?: (answer: (message: HostMessage) => void, message: GuestMessage) => void,
): Promise<Told> {
  const number = ++lastJob;
  const messages: GuestMessage[] = [];
  const job: IsolatedJob = {
    source: { file, exportName: 'Heavy' },
    pinned: null,
    flow: 'heavy-flow',
    className: 'Heavy',
    task,
    taskKey: task,
    args: packValue(args, 'arguments').packed,
    params: encodeValue({ month: '01' }, 'params'),
    run: { id: 'r1', name: 'quick-otter', flow: 'heavy-flow', deployment: null, scheduledFor: new Date(0), attempt: 1 },
    taskFacts: { id: 't1', name: task, attempt: 1, index: null },
    idempotencyKey: 'k1',
    traceparent: null,
    isTraced: false,
    contextValues: encodeValue([['tenant', 'acme']], 'values'),
    logLevel: 'debug',
    captureConsole: true,
    asksToBegin: false,
    profile: false,
    ...change,
  };
  const outcome = await new Promise<IsolatedOutcome>((resolve, reject) => {
    guest.listener = {
      hear({ number: of, message }) {
        expect(of).toBe(number);
        if (message.kind === 'outcome') return resolve(message.outcome);
        messages.push(message);
        host?.((answer) => guest.send({ kind: 'message', number, message: answer }), message);
      },
      print: () => undefined,
    };
    void guest.ended.then(({ how }) => reject(new Error(`It ended ${how}.`)));
    guest.send({ kind: 'job', number, job });
  });
  return { outcome, messages };
}

describe.each(['thread', 'process'] as const)('a task in a %s of its own', (kind) => {
  beforeAll(() => void (guest = makers[kind]()));
  afterAll(async () => void (await guest.close()));

  test('gets its arguments, parameters and facts, and gives its value', async () => {
    const when = new Date(5);
    const { outcome } = await run('sum', [new Set([1n, 2n]), when]);
    expect(outcome.ok && unpackValue(outcome.value)).toEqual({
      sum: 3n,
      when,
      params: { month: '01' },
      key: 'k1',
      tenant: 'acme',
      task: 'sum',
      at: new Date(0),
    });
    const items = await run('items');
    expect(items.outcome.ok && unpackValue(items.outcome.value)).toEqual([1, 2]);
  });

  test('tells what it does with its context, in order', async () => {
    const { messages, outcome } = await run('talk');
    expect(outcome).toEqual({ ok: true, value: { text: null, bytes: [], given: [] } });
    expect(messages).toEqual([
      { kind: 'log', level: 30, message: 'to console', fields: null },
      { kind: 'log', level: 40, message: 'careful', fields: { rows: 3 } },
      { kind: 'progress', done: 1, total: 2 },
      { kind: 'progress', done: 2, total: null },
      { kind: 'metric', change: 'add', name: 'rows', value: 2 },
      { kind: 'metric', change: 'set', name: 'size', value: 7 },
      {
        kind: 'measure',
        measure: {
          metric: { type: 'counter', name: 'talks_total', help: 'talks_total', labels: ['to'], buckets: null },
          ...{ how: 'add', value: 1, labels: ['all'] },
        },
      },
      { kind: 'reject', record: '"{ id: 1n }"', reason: 'bad id' },
      { kind: 'reject', record: '"<ref *1> { self: [Circular *1] }"', reason: 'round' },
    ]);
  });

  test('waits until its artifact is durable', async () => {
    const { messages, outcome } = await run('keep', [], {}, (answer) => answer({ kind: 'kept', id: 1, failure: null }));
    expect(messages).toEqual([{ kind: 'artifact', id: 1, type: 'table', name: 'rows', key: null, data: '[{"a":1}]' }]);
    expect(outcome).toEqual({ ok: true, value: { text: '{"json":"kept"}', bytes: [], given: [] } });
  });

  test('fails with the error it threw: class, code, details and cause', async () => {
    const { outcome } = await run('fail');
    expect(outcome).toMatchObject({
      ok: false,
      failure: { name: 'RangeError', message: 'too big', code: 'E_BIG', details: { at: 3 }, cause: { message: 'below' } },
    });
    expect(outcome.ok ? '' : outcome.failure.stack).toMatch(/heavy\.ts:\d+/);
  });

  test('a value that cannot be stored is told with its path', async () => {
    const { outcome } = await run('bad');
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'RESULT_NOT_SERIALIZABLE', details: { path: 'nested' } } });
  });

  test('hears the abort signal with its reason', async () => {
    const { outcome } = await run('wait', [], {}, (answer) => answer({ kind: 'abort', reason: failureOf(new Error('enough')) }));
    expect(outcome.ok && unpackValue(outcome.value)).toBe('enough');
  });

  test('opens anew what an earlier task was still opening when it ended', async () => {
    await run('leaves');
    const { outcome } = await run('takes', [], {}, (answer, message) => {
      if (message.kind === 'ask') answer({ kind: 'answer', id: message.id, value: 'word' });
    });
    expect(outcome.ok ? unpackValue(outcome.value) : outcome.failure).toBe('the word');
  });

  test('a loop that never gives way is ended', async () => {
    const spinning = makers[kind]();
    const kept = guest;
    guest = spinning;
    const lost = run('spin', [], {}, () => spinning.end());
    await expect(lost).rejects.toThrow(/It ended by/);
    expect(spinning.isEnding).toBe(true);
    guest = kept;
  });

  test.each<[string, (known: string) => Partial<IsolatedJob>, string, RegExp]>([
    ['a file that is not known', () => ({ source: null }), 'ISOLATION_UNAVAILABLE', /its file is not known/],
    [
      'a class that is not exported',
      (known) => ({ flow: 'inner', className: 'Inner', source: { file: known, exportName: 'Inner' } }),
      'ISOLATION_UNAVAILABLE',
      /does not export its class Inner; export it/,
    ],
    ['a task that is gone', () => ({ task: 'gone' }), 'ISOLATION_UNAVAILABLE', /has no task 'gone' any more/],
    ['a file that is gone', () => ({ source: { file: '/nowhere/x.ts', exportName: 'X' } }), 'FILE_NOT_FOUND', /x\.ts/],
  ])('%s is refused in words', async (_, change, code, message) => {
    const { outcome } = await run('items', [], change(file));
    expect(outcome).toMatchObject({ ok: false, failure: { code, message: expect.stringMatching(message) } });
  });

  test('a class that only knows its file is found by its name', async () => {
    const { outcome } = await run('items', [], { source: { file, exportName: 'renamed_by_a_compiler' } });
    expect(outcome.ok).toBe(true);
  });
});

test('a pool waits no longer than it may for a thread in native code, and tells of it', async () => {
  // Its seconds are hundredths.
  const clock: Clock = { ...systemClock, setTimer: (ms, fire, options) => systemClock.setTimer(ms / 100, fire, options) };
  const pool = new GuestPool(() => new ThreadGuest({ entry, memoryBytes: null, clock }), 1, clock);
  const stuck = pool.take({ kind: 'thread', memoryBytes: null });
  guest = stuck;
  let closing: Promise<readonly Guest[]> | undefined;
  await expect(run('native', [], {}, () => void (closing = pool.close()))).rejects.toThrow(/It ended by/);
  expect(await closing).toEqual([stuck]);
  expect(await pool.close()).toEqual([]);
});
