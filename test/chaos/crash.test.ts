/**
 * Processes that die in the middle of a run, and others that continue it. What was executed stands in a ledger that no part of
 * Batuta reads; what was recorded at the moment of death is read from the database before anybody goes on.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Run, TaskRun } from '../../src/model/run.ts';
import { isTerminal } from '../../src/model/state.ts';
import { openStore } from '../../src/store/open.ts';
import { freeze } from '../support/freeze.ts';
import { compileProgram, type Program, type Started, startProgram } from '../support/run-source.ts';
import type { Order } from './crash-program.ts';

let program: Program;
let folder = '';
const started = new Set<Started>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-crash-'));
  program = await compileProgram(`import './test/chaos/crash-program.ts';`);
});

afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all([...started].map(({ ended }) => ended));
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A run with its database, results and ledger, and the processes that execute it. */
class Stage {
  readonly #place: string;
  readonly #flow: string;
  runId = '';

  constructor(flow: string) {
    this.#place = mkdtempSync(join(folder, `${flow}-`));
    this.#flow = flow;
  }

  get gate(): string {
    return join(this.#place, 'gate');
  }

  get url(): string {
    return `sqlite:${join(this.#place, 'runs.db')}`;
  }

  /** Starts the run, or continues it when it was started. */
  process(options: Partial<Order> = {}): Started {
    const order: Order = {
      flow: this.#flow,
      runId: this.runId === '' ? null : this.runId,
      url: this.url,
      results: join(this.#place, 'results'),
      ledger: join(this.#place, 'ledger'),
      gate: this.gate,
      leaseMs: 15_000,
      patient: false,
      stopAfterStore: false,
      ...options,
    };
    const process = startProgram(program, [JSON.stringify(order)]);
    started.add(process);
    return process;
  }

  async start(options: Partial<Order> = {}): Promise<Started> {
    const process = this.process(options);
    await process.printed('id ');
    this.runId = await this.#onlyRun();
    return process;
  }

  async #onlyRun(): Promise<string> {
    const store = await openStore({ url: this.url });
    const { items } = await store.runs.list({ parentRunId: null });
    await store.close();
    return items[0]?.id ?? '';
  }

  /** Executions so far, oldest first: ids of task runs. */
  executions(): string[] {
    const ledger = join(this.#place, 'ledger');
    return existsSync(ledger)
      ? readFileSync(ledger, 'utf8')
          .trim()
          .split('\n')
          .filter(Boolean)
          .map((line) => line.split(' ')[1] ?? '')
      : [];
  }

  /** The run and its sub-flows with their task runs, as recorded. */
  async recorded(): Promise<{ readonly runs: readonly Run[]; readonly taskRuns: readonly TaskRun[] }> {
    const store = await openStore({ url: this.url });
    const root = await store.runs.get(this.runId);
    const runs = [...(root ? [root] : []), ...(await store.runs.children(this.runId))];
    const taskRuns = (await Promise.all(runs.map((run) => store.taskRuns.ofRun(run.id)))).flat();
    await store.close();
    return { runs, taskRuns };
  }
}

interface Death {
  readonly recorded: ReadonlySet<string>;
  readonly executions: number;
  readonly wasRunning: boolean;
}

/** Kills it and looks at what it left. */
async function kill(stage: Stage, process: Started): Promise<Death> {
  process.child.kill('SIGKILL');
  await process.ended;
  const { runs, taskRuns } = await stage.recorded();
  return {
    recorded: new Set(taskRuns.filter((row) => isTerminal(row.state.type)).map((row) => row.id)),
    executions: stage.executions().length,
    wasRunning: !isTerminal(runs[0]?.state.type ?? 'RUNNING'),
  };
}

/** What every crash must leave true once the run has been continued to its end. */
async function expectKept(stage: Stage, deaths: readonly Death[]): Promise<void> {
  const executions = stage.executions();
  const { runs, taskRuns } = await stage.recorded();
  for (const { recorded, executions: before } of deaths) {
    expect(executions.slice(before).filter((id) => recorded.has(id))).toEqual([]);
    const inFlight = new Set(executions.slice(0, before).filter((id) => !recorded.has(id)));
    // A first execution whose row never became durable has left an id that nobody knows; its task was given another.
    const known = new Set(taskRuns.map((row) => row.id));
    for (const id of inFlight) if (known.has(id)) expect(executions.slice(before)).toContain(id);
  }
  for (const run of runs) expect(run.state.name).toBe('Completed');
  const counts = new Map<string, number>();
  for (const id of executions) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const row of taskRuns) {
    expect(row.state.name).toBe('Completed');
    if (row.childRunId !== null) continue;
    expect(counts.get(row.id)).toBeGreaterThanOrEqual(row.attempt);
  }
  const crashes = deaths.filter(({ wasRunning }) => wasRunning).length;
  expect(runs[0]).toMatchObject({ epoch: 1 + crashes, recoveries: crashes, attempt: 1 });
}

/** Numbers in [0, 1) that a seed fixes. Source: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const rounds = Number(process.env.CRASH_ROUNDS ?? 2);

const results: Readonly<Record<string, unknown>> = {
  mapped: 2_000 * 1_999,
  code: Array.from({ length: 15 }, (_, turn) => turn * 30 + 3).reduce((a, b) => a + b, 0),
  parent: [1, 3_195, 3_195],
  large: 8 * 300_000,
};

describe(`a process that is killed in the middle of a run (CRASH_SEED=${seed})`, () => {
  const random = seeded(seed);

  describe.each([
    ['layered', 40],
    ['mapped', 250],
    ['code', 170],
    ['parent', 200],
    ['large', 80],
  ])('%s', (flow, spanMs) => {
    test.each(Array.from({ length: rounds }, (_, round) => round + 1))(
      'is continued by another: recorded tasks are not executed again, all others are (round %i)',
      async () => {
        const stage = new Stage(flow);
        const deaths: Death[] = [];
        let process = await stage.start();
        for (let crash = 0; crash < 2; crash++) {
          await sleep(random() * spanMs);
          deaths.push(await kill(stage, process));
          if (!deaths.at(-1)?.wasRunning) break;
          process = stage.process();
          await process.printed('claimed ');
        }
        const { stdout } = await process.ended;
        await expectKept(stage, deaths);
        if (deaths.at(-1)?.wasRunning && flow in results) expect(stdout).toContain(`end ${JSON.stringify(results[flow])}\n`);
      },
    );
  });
});

describe('a process that is killed', () => {
  test('while a retry waits: the wait goes on, and the attempts are counted on', async () => {
    const stage = new Stage('retrying');
    const first = await stage.start();
    await first.printed('waits 1\n');
    await sleep(50);
    const death = await kill(stage, first);
    expect(death).toMatchObject({ executions: 1, wasRunning: true });
    const { taskRuns } = await stage.recorded();
    expect(taskRuns[0]).toMatchObject({ state: { name: 'AwaitingRetry' }, attempt: 1 });
    const second = stage.process();
    expect((await second.ended).stdout).toContain('end 3\n');
    expect(stage.executions()).toHaveLength(3);
    const after = await stage.recorded();
    expect(after.taskRuns[0]).toMatchObject({ state: { name: 'Completed' }, attempt: 3 });
    expect(after.taskRuns[0]?.endedAt).toBeGreaterThanOrEqual(taskRuns[0]?.dueAt ?? Number.POSITIVE_INFINITY);
  });

  test('right after a large result was stored, before it was recorded: the task is executed again', async () => {
    const stage = new Stage('large');
    const first = await stage.start({ stopAfterStore: true });
    await first.printed('stored ');
    const death = await kill(stage, first);
    expect(death).toMatchObject({ executions: 1, wasRunning: true });
    expect(death.recorded.size).toBe(0);
    const second = stage.process();
    expect((await second.ended).stdout).toContain(`end ${JSON.stringify(results['large'])}\n`);
    expect(stage.executions()).toHaveLength(9);
  });

  test('is found gone at once; of two that continue its run together one gets it, the other is refused', async () => {
    const stage = new Stage('gated');
    const first = await stage.start();
    await first.printed('running 1\n');
    await kill(stage, first);
    const both = [stage.process(), stage.process()];
    const refused = await Promise.race(both.map(async (process) => (await process.ended, process)));
    expect((await refused.ended).stdout).toBe('refused "RUN_OWNED"\n');
    writeFileSync(stage.gate, '');
    const winner = both.find((process) => process !== refused);
    expect((await winner?.ended)?.stdout).toContain('end 2\n');
    expect((await stage.recorded()).runs[0]).toMatchObject({ state: { name: 'Completed' }, epoch: 2, recoveries: 1 });
  });
});

test('a process that was frozen while another took its run over writes nothing more and gives it up', async () => {
  const stage = new Stage('gated');
  const frozen = await stage.start({ leaseMs: 800 });
  await frozen.printed('running 1\n');
  await freeze(frozen.child, stage.url);
  const taker = stage.process({ leaseMs: 800, patient: true });
  await taker.printed('claimed ');
  writeFileSync(stage.gate, '');
  expect((await taker.ended).stdout).toContain('end 2\n');
  const [before, executions] = [await stage.recorded(), stage.executions()];
  frozen.child.kill('SIGCONT');
  expect((await frozen.ended).stdout).toContain('refused "LEASE_LOST"\n');
  expect(await stage.recorded()).toEqual(before);
  expect(stage.executions()).toEqual(executions);
  expect(before.runs[0]).toMatchObject({ state: { name: 'Completed' }, epoch: 2, recoveries: 1 });
});
