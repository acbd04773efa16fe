/** The history that a seed fills a store with. */
import { expect, test } from 'vitest';
import { makeChance } from '../../../bench/seed/chance.ts';
import { ownersAt } from '../../../bench/seed/declare.ts';
import { historyOf } from '../../../bench/seed/history.ts';
import { rowsOf, type RunRows } from '../../../bench/seed/rows-of-run.ts';
import { isTerminal } from '../../../src/model/state.ts';

const now = Date.UTC(2026, 4, 12, 10, 30);

function history(seed: number, runs = 2_000): RunRows[] {
  const chance = makeChance(seed);
  const options = { chance, items: 5, schedules: new Map<string, string>(), owners: ownersAt(now), now, detailedSince: now - 86_400_000 };
  const all: RunRows[] = [];
  for (const hour of historyOf({ runs, days: 10, now, chance })) for (const run of hour) all.push(...rowsOf(run, options));
  return all;
}

test('the same seed makes the same history, another seed another', () => {
  const text = (seed: number): string => JSON.stringify(history(seed, 300));
  const first = text(7);
  expect(text(7) === first).toBe(true);
  expect(text(8) === first).toBe(false);
});

test('a history has about as many runs as were asked for, in all states, and nothing of the future', () => {
  const all = history(1);
  expect(all.length).toBeGreaterThan(1_900);
  expect(all.length).toBeLessThan(2_100);
  const states = new Set(all.map(({ run }) => run.state.type));
  for (const type of ['COMPLETED', 'FAILED', 'CANCELLED'] as const) expect(states).toContain(type);
  for (const { run, taskRuns, transitions } of all) {
    expect(run.createdAt).toBeLessThanOrEqual(now);
    expect((run.endedAt ?? null) !== null, run.state.name).toBe(isTerminal(run.state.type));
    expect(run.endedAt ?? 0).toBeLessThanOrEqual(now);
    expect((run.endedAt ?? now) - (run.startedAt ?? 0)).toBeGreaterThanOrEqual(0);
    expect(transitions.at(-1)?.type).toBe(run.state.type);
    expect(new Set(taskRuns.map(({ key }) => key)).size).toBe(taskRuns.length);
    if (run.state.type === 'COMPLETED') expect(taskRuns.every(({ state }) => state.type === 'COMPLETED')).toBe(true);
    if (run.state.type === 'FAILED') expect(taskRuns.some(({ state }) => state.type === 'FAILED')).toBe(true);
  }
  expect(new Set(all.map(({ run }) => run.id)).size).toBe(all.length);
});

test('a sub-flow run belongs to the task run that stands for it', () => {
  const all = history(1);
  const runs = new Map(all.map((rows) => [rows.run.id, rows]));
  const children = all.filter(({ run }) => run.parentRunId !== null);
  expect(children.length).toBeGreaterThan(20);
  for (const { run } of children) {
    const task = runs.get(run.parentRunId ?? '')?.taskRuns.find(({ id }) => id === run.parentTaskRunId);
    expect(task?.childRunId).toBe(run.id);
  }
});
