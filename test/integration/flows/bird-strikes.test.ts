import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BirdStrikes } from '../../../flows/bird-strikes.ts';
import { type Recorded, runHere } from './run-here.ts';

interface Report {
  readonly accepted: number;
  readonly rejected: Record<string, number>;
  readonly species: { readonly species: string; readonly strikes: number; readonly damagePercent: number }[];
}

describe('bird-strikes', () => {
  let recorded: Recorded;
  let report: Report;

  beforeAll(async () => {
    recorded = await runHere(BirdStrikes);
    report = recorded.result as Report;
  });

  it('completes in spite of the dirt, with every record either accepted or rejected', () => {
    expect(recorded.run.error).toBeNull();
    expect(recorded.run.state.name).toBe('Completed');
    expect(report.accepted + Object.values(report.rejected).reduce((sum, count) => sum + count, 0)).toBe(10_000);
  });

  it('rejects what an independent count of the same file finds wrong, with the reasons', () => {
    expect(report.rejected).toEqual({
      'Effect Amount of damage: unknown code': 15,
      'in the air at 0 knots': 8,
      'repaired, although nothing was damaged': 27,
      'reported twice': 24,
    });
  });

  it('keeps each rejected record with its reason, and counts them', () => {
    const rejects = recorded.artifacts.find((it) => it.kind === 'rejects')?.data as { record: object; reason: string }[];
    const total = Object.values(report.rejected).reduce((sum, count) => sum + count, 0);
    expect(rejects).toHaveLength(total);
    expect(rejects.find((it) => it.reason === 'reported twice')?.record).toHaveProperty('Airport Name', 'ATLANTIC CITY INTL');
    expect(recorded.taskRuns.find((it) => it.name === 'clean')?.metrics?.rejected).toBe(total);
  });

  it('reports the species that damage most often first, and why records were put aside', () => {
    const shares = report.species.map((it) => it.damagePercent);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(report.species[0]?.species).toBe('White-tailed deer');
    const text = String(recorded.artifact('bird-strikes'));
    for (const reason of Object.keys(report.rejected)) expect(text).toContain(reason);
  });

  it('fails rather than reports on a file that is broken as a whole', async () => {
    const { run } = await runHere(BirdStrikes, { maxRejected: 0.001 });
    expect(run.state.name).toBe('Failed');
    expect(run.error?.message).toContain('rejected');
  });

  it('names the field that is missing when the file has other columns', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batuta-birds-'));
    try {
      const file = join(folder, 'other.csv');
      await writeFile(file, 'a,b\n1,2\n');
      const { artifacts } = await runHere(BirdStrikes, { file, maxRejected: 1 });
      const [rejects] = artifacts.filter((it) => it.kind === 'rejects');
      expect(rejects?.data).toEqual([{ record: { a: '1', b: '2' }, reason: expect.stringMatching(/^Airport Name: /) }]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
