/** Tasks in threads and processes of their own, by the embedded client: what they keep, what ends them, and what is left. */
import { symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { currentScope } from '../../../src/model/run-context.ts';
import { decodeValue } from '../../../src/model/values.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

const flows = `
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Flow, Inject, move, resource, Task, type TaskContext } from 'batuta';
let calls = 0;
let opened = 0;
const model = resource('model', async function* () { opened += 1; yield opened; }, { scope: 'worker' });
function fill() { const kept: unknown[] = []; for (;;) kept.push(new Array(50_000).fill(kept.length)); }

@Flow()
export class Warm {
  @Inject(model) readonly model!: number;
  @Task() items() { return Array.from({ length: 40 }, (_, at) => at); }
  @Task({ isolate: 'thread', each: 'items' }) call(item: number) { calls += 1; return { item, calls, model: this.model, pid: process.pid }; }
}
@Flow()
export class Cold {
  @Inject(model) readonly model!: number;
  @Task() items() { return [0, 1]; }
  @Task({ isolate: 'process', each: 'items' }) call(item: number, ctx: TaskContext) {
    calls += 1;
    process.stdout.write('printed\\n');
    process.stderr.write('warned\\n');
    ctx.log.info('logged');
    return { item, calls, model: this.model, pid: process.pid };
  }
}
@Flow()
export class ThreadEnds {
  @Task() before() { return 1; }
  @Task({ isolate: 'thread', memory: '64 MB' }) tooMuch() { fill(); }
  @Task({ isolate: 'thread' }) exits() { process.exit(3); }
  @Task({ isolate: 'thread' }) async escapes() { void Promise.reject(new Error('nobody awaits this')); await new Promise((resolve) => setTimeout(resolve, 5_000)); }
  @Task({ isolate: 'thread', timeout: '300ms' }) spins() { for (;;); }
  @Task({ isolate: 'thread' }) odd() { return { at: { deep: () => 1 } }; }
  @Task({ isolate: 'thread', needs: ['before'] }) fine(one: number) { return one + 1; }
}
@Flow()
export class ProcessEnds {
  @Task({ isolate: 'process', memory: '128 MB' }) tooMuchHeap() { fill(); }
  @Task({ isolate: 'process', memory: '128 MB' }) async tooMuchBeside() {
    const kept: Buffer[] = [];
    for (;;) { kept.push(Buffer.alloc(8 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 20)); }
  }
  @Task({ isolate: 'process' }) exits() { process.exit(3); }
  @Task({ isolate: 'process' }) killed() { process.kill(process.pid, 'SIGKILL'); for (;;); }
  @Task({ isolate: 'process', timeout: '4s' }) spins(ctx: TaskContext) {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 1, 1000)'], { stdio: 'ignore' });
    ctx.metrics.set('own', process.pid);
    ctx.metrics.set('child', child.pid ?? 0);
    for (;;);
  }
  @Task({ isolate: 'process' }) odd() { return { at: { deep: () => 1 } }; }
  @Task({ isolate: 'process' }) fine() { return 2; }
}
@Flow()
export class Bytes {
  @Task({ isolate: 'thread', persist: false }) make() {
    const pixels = new Uint8Array(3).fill(7);
    return { whole: move(pixels), part: new Uint8Array([1, 2, 3, 4]).subarray(1, 3), buffer: Buffer.from('hi'), shared: new Uint8Array(new SharedArrayBuffer(2)) };
  }
  @Task({ isolate: 'thread', needs: ['make'] }) first(made: any) { return [...made.whole, ...made.part, ...made.buffer, ...made.shared]; }
  @Task({ needs: ['make'], after: ['first'] }) left(made: any) { return made.whole.byteLength; }
}
@Flow()
export class Twice {
  @Task({ persist: false }) make() { return { whole: move(new Uint8Array(3)) }; }
  @Task({ isolate: 'thread', needs: ['make'] }) first(made: any) { return made.whole.length; }
  @Task({ isolate: 'thread', needs: ['make'], after: ['first'] }) second(made: any) { return made.whole.length; }
}
@Flow()
export class Recorded {
  @Task() make() { return new Float64Array([1, 2]); }
  @Task({ isolate: 'thread', needs: ['make'], retries: 1, retryDelay: 1 }) first(made: Float64Array, ctx: TaskContext) {
    if (ctx.task.attempt === 1) throw new Error('once more');
    return made;
  }
  @Task({ isolate: 'process', needs: ['make', 'first'] }) both(a: Float64Array, b: Float64Array) { return [...a, ...b]; }
}
@Flow()
export class Large {
  @Task() items() { return Array.from({ length: 60 }, (_, at) => at); }
  @Task({ isolate: 'thread', each: 'items', persist: false }) load(item: number) { return move(new Uint8Array(1024 * 1024).fill(item)); }
  @Task({ needs: ['load'] }) sum(all: readonly Uint8Array[]) { return all.length; }
}
@Flow()
export class Says {
  @Task({ isolate: 'thread' }) say(ctx: TaskContext) { ctx.log.info('said'); }
}
@Flow()
export class Native {
  @Task({ isolate: 'thread', each: 'two' }) warm() { return 1; }
  @Task() two() { return [1, 2]; }
  @Task({ isolate: 'thread', needs: ['warm'], timeout: '500ms', priority: 1 }) first() { spawnSync('sh', ['-c', 'sleep 1.5; touch HERE/first']); }
  @Task({ isolate: 'thread', needs: ['warm'], timeout: '500ms', priority: 1 }) second() { spawnSync('sh', ['-c', 'sleep 1.5; touch HERE/second']); }
  @Task({ isolate: 'thread', needs: ['warm'] }) next() { return existsSync('HERE/first') || existsSync('HERE/second'); }
}
`;

let project: ProjectFolder;
let client: LocalClient;
let hearLine: (line: string) => void = () => undefined;
beforeAll(async () => {
  project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }' });
  project.write('flows.ts', flows.replaceAll('HERE', project.path));
  symlinkSync(resolve('node_modules/zod'), `${project.path}/node_modules/zod`);
  process.env['BATUTA_THREADS'] = '2';
  client = await openLocalClient({
    databaseUrl: 'sqlite::memory:',
    log: await openLog({ level: 'info', format: 'json', write: (line) => hearLine(line) }),
  });
  delete process.env['BATUTA_THREADS'];
});
afterAll(async () => {
  await client.close();
  project.remove();
});

/** Results and errors of the tasks of a flow, by their names, and the run. */
async function outcomesOf(flow: string) {
  const loaded = (await loadFlowFile(`${project.path}/flows.ts`)).find(({ definition }) => definition.className === flow);
  if (!loaded) throw new Error(`There is no flow ${flow}.`);
  const handle = await client.submit(loaded.flowClass, {});
  await handle.done();
  const view = await client.runs.inspect(handle.id);
  const rows = view.taskRuns;
  const valueOf = (row: (typeof rows)[number] | undefined): unknown => decodeValue(row?.result ?? null);
  return {
    id: handle.id,
    rows,
    code: (name: string) => rows.find((row) => row.name === name)?.error?.code,
    message: (name: string) => rows.find((row) => row.name === name)?.error?.message ?? '',
    value: (name: string) => valueOf(rows.find((row) => row.name === name)),
    /** Of the items of a mapped task, in their order. */
    values: (name: string) =>
      rows
        .filter((row) => row.name === name && row.index !== null)
        .sort((a, b) => (a.index ?? 0) - (b.index ?? 0))
        .map(valueOf),
  };
}

interface Call {
  readonly item: number;
  readonly calls: number;
  readonly model: number;
  readonly pid: number;
}

describe('threads', () => {
  test('are as many as they may be, and keep modules and resources of scope worker between tasks', async () => {
    const { values, rows } = await outcomesOf('Warm');
    const calls = values('call') as readonly Call[];
    expect(calls.map(({ item }) => item)).toEqual(Array.from({ length: 40 }, (_, at) => at));
    expect(new Set(calls.map(({ pid }) => pid))).toEqual(new Set([process.pid]));
    // Each thread counts from 1: 40 tasks in two of them have two that were first.
    expect(calls.filter((call) => call.calls === 1).length).toBeLessThanOrEqual(2);
    expect(calls.every(({ model }) => model === 1)).toBe(true);
    const used = rows.filter(({ name }) => name === 'call');
    expect(used.every(({ usageScope, peakBytes }) => usageScope === 'thread' && (peakBytes ?? 0) > 1_000_000)).toBe(true);
  });

  test('that end in the middle fail their task by name, and no other', async () => {
    const { code, message, rows } = await outcomesOf('ThreadEnds');
    expect(code('tooMuch')).toBe('TASK_OUT_OF_MEMORY');
    expect(message('tooMuch')).toContain('its limit of 64.0 MiB');
    expect(code('exits')).toBe('ISOLATE_ENDED');
    expect(message('exits')).toContain('by exit code 3');
    expect(code('escapes')).toBe('ERROR_ESCAPED');
    expect(message('escapes')).toContain('nobody awaits this');
    expect(code('spins')).toBe('TASK_TIMED_OUT');
    expect(rows.find(({ name }) => name === 'spins')).toMatchObject({ usageScope: 'thread' });
    expect(code('odd')).toBe('RESULT_NOT_SERIALIZABLE');
    expect(message('odd')).toContain('at.deep');
    expect(rows.find(({ name }) => name === 'fine')?.state.type).toBe('COMPLETED');
  });
});

describe('warm threads', () => {
  test('keep nothing of the tasks that they have executed', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldBytes = async (): Promise<number> => {
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((done) => setImmediate(done));
        collect();
      }
      return process.memoryUsage().arrayBuffers;
    };
    const before = await heldBytes();
    expect((await outcomesOf('Large')).value('sum')).toBe(60);
    expect((await heldBytes()) - before).toBeLessThan(20 * 1024 * 1024);
  });

  test('are heard in the run whose task they execute, not in the one that started them', async () => {
    const heard: string[] = [];
    hearLine = (line) => {
      if (line.includes('said')) heard.push(`${(JSON.parse(line) as { runId: string }).runId} in ${currentScope()?.runId}`);
    };
    const ids = [(await outcomesOf('Says')).id, (await outcomesOf('Says')).id];
    hearLine = () => undefined;
    expect(heard).toEqual(ids.map((id) => `${id} in ${id}`));
  });

  test('that are still in native code after a timeout keep their places until they have ended', async () => {
    const { code, value } = await outcomesOf('Native');
    expect([code('first'), code('second'), value('next')]).toEqual(['TASK_TIMED_OUT', 'TASK_TIMED_OUT', true]);
  });
});

describe('processes', () => {
  test('execute one task each, and what they print is in its log', async () => {
    // What this process has is none of theirs.
    const own = Buffer.alloc(300 * 1024 * 1024, 1);
    const { values, rows: called, id } = await outcomesOf('Cold');
    const calls = values('call') as readonly Call[];
    expect(calls).toMatchObject([
      { item: 0, calls: 1, model: 1 },
      { item: 1, calls: 1, model: 1 },
    ]);
    const pids = calls.map(({ pid }) => pid);
    expect(new Set([...pids, process.pid]).size).toBe(3);
    expect(pids.map(isAlive)).toEqual([false, false]);
    const used = called.filter(({ name }) => name === 'call');
    expect(used.every(({ usageScope, cpuMs }) => usageScope === 'process' && (cpuMs ?? 0) > 50)).toBe(true);
    for (const { peakBytes } of used) expect(peakBytes).toBeGreaterThan(30 * 1024 * 1024);
    if (process.platform === 'linux') for (const { peakBytes } of used) expect(peakBytes).toBeLessThan(own.length);
    const lines = await client.runs.logs(id);
    const said = lines
      .map(({ level, message }) => `${level >= 40 ? 'warn' : 'info'} ${message}`)
      .filter((line) => /printed|warned|logged/.test(line));
    expect(said.sort()).toEqual(['info logged', 'info logged', 'info printed', 'info printed', 'warn warned', 'warn warned']);
  });

  test('that end in the middle fail their task by name, and no other, and leave nothing behind', async () => {
    const { code, message, rows } = await outcomesOf('ProcessEnds');
    expect(code('tooMuchHeap')).toBe('TASK_OUT_OF_MEMORY');
    expect(code('tooMuchBeside')).toBe('TASK_OUT_OF_MEMORY');
    expect(message('tooMuchBeside')).toContain('its limit of 128.0 MiB, at 1');
    expect(message('exits')).toContain('by exit code 3');
    expect(message('killed')).toContain('by SIGKILL');
    expect(code('spins')).toBe('TASK_TIMED_OUT');
    expect(code('odd')).toBe('RESULT_NOT_SERIALIZABLE');
    expect(rows.find(({ name }) => name === 'fine')?.state.type).toBe('COMPLETED');
    const { own = 0, child = 0 } = rows.find(({ name }) => name === 'spins')?.metrics ?? {};
    expect([own, child].every((pid) => pid > 0)).toBe(true);
    await expect.poll(() => [isAlive(own), isAlive(child)], { timeout: 10_000 }).toEqual([false, false]);
  });
});

describe('bytes', () => {
  test('that are moved arrive whole, and are gone where they were', async () => {
    const { value } = await outcomesOf('Bytes');
    expect(value('first')).toEqual([7, 7, 7, 2, 3, 104, 105, 0, 0]);
    expect(value('left')).toBe(0);
  });

  test('that are taken a second time are refused by name', async () => {
    const { value, code } = await outcomesOf('Twice');
    expect(value('first')).toBe(3);
    expect(code('second')).toBe('BUFFER_MOVED');
  });

  test('that are recorded come to each attempt and each task as they were', async () => {
    const { value } = await outcomesOf('Recorded');
    expect(value('both')).toEqual([1, 2, 1, 2]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
