import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlightDelays } from '../../../flows/flight-delays.ts';
import { type Recorded, runHere } from './run-here.ts';

describe('flight-delays', () => {
  let folder: string;
  let recorded: Recorded;
  let rows: Record<string, unknown>[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batuta-flights-'));
    const out = join(folder, 'made/flight-delays.parquet');
    recorded = await runHere(FlightDelays, { out });
    rows = recorded.run.state.type === 'COMPLETED' ? await parquetReadObjects({ file: await asyncBufferFromFile(out) }) : [];
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('completes, with one retry of the task whose connection breaks off', () => {
    expect(recorded.run.error).toBeNull();
    expect(recorded.run.state.name).toBe('Completed');
    expect(recorded.attemptsOf('flights')).toBe(2);
    for (const task of ['airports', 'delays', 'write', 'report']) expect(recorded.attemptsOf(task)).toBe(1);
  });

  it('reads flights and airports side by side', () => {
    const started = new Map(recorded.taskRuns.map((it) => [it.name, it]));
    expect(started.get('airports')?.startedAt).toBeLessThan(started.get('flights')?.endedAt ?? 0);
    expect(started.get('flights')?.startedAt).toBeLessThanOrEqual(started.get('airports')?.endedAt ?? 0);
  });

  it('counts every flight of the six months once, save those with impossible delays and from small airports', () => {
    const flights = rows.reduce((sum, row) => sum + Number(row.flights), 0);
    const setAside = recorded.taskRuns.find((it) => it.name === 'flights')?.metrics?.setAside;
    expect(setAside).toBe(3);
    expect(flights).toBe(2_987_951);
    expect(new Set(rows.map((row) => row.month))).toEqual(new Set(['2001-01', '2001-02', '2001-03', '2001-04', '2001-05', '2001-06']));
    expect(Math.min(...rows.map((row) => Number(row.flights)))).toBeGreaterThanOrEqual(100);
  });

  it('writes what an independent count of the same file gives', () => {
    expect(rows.find((row) => row.airport === 'JFK' && row.month === '2001-01')).toMatchObject({
      flights: 5_211,
      meanDelay: 60_015 / 5_211,
      lateShare: 1_569 / 5_211,
    });
  });

  it('gives each airport its name and place, and no place where the source has none', () => {
    expect(rows.every((row) => typeof row.name === 'string' && row.name !== '')).toBe(true);
    expect(rows.find((row) => row.airport === 'DEN')).toMatchObject({ name: 'Denver Intl', city: 'Denver', state: 'CO' });
    expect(rows.filter((row) => row.city === 'NA' || row.state === 'NA')).toEqual([]);
  });

  it('shows the ten worst airports, worst first, on the screen and as an artifact', () => {
    const { worst } = recorded.result as { worst: { airport: string; meanDelay: number }[] };
    expect(worst).toHaveLength(10);
    expect(worst.map((it) => it.meanDelay)).toEqual([...worst.map((it) => it.meanDelay)].sort((a, b) => b - a));
    const table = String(recorded.artifact('ten-worst-airports')).split('\n');
    expect(table).toHaveLength(12);
    expect(table[2]).toContain(worst[0]?.airport);
    expect(table[2]).toMatch(/^\| [A-Z]{3} /);
  });

  it('fails at once, with the path, when its data is not there', async () => {
    const { run, attemptsOf } = await runHere(FlightDelays, (folder) => ({ data: folder }));
    expect(run.state.name).toBe('Failed');
    expect(run.error?.message).toContain('ENOENT');
    expect(attemptsOf('flights')).toBe(1);
  });
});
