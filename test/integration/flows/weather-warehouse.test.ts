import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WeatherWarehouse } from '../../../flows/weather-warehouse.ts';
import { runHere } from './run-here.ts';

describe('weather-warehouse', () => {
  let folder: string;
  let database: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batuta-warehouse-'));
    database = join(folder, 'weather.db');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function daysOf(month: string): number {
    const db = new Database(database);
    const { days } = db.prepare('select count(*) as days from days where date like ?').get(`${month}%`) as { days: number };
    db.close();
    return days;
  }

  it('loads four years, and again without a day twice', async () => {
    for (let time = 0; time < 2; time++) {
      const { run, result } = await runHere(WeatherWarehouse, { database });
      expect(run.error).toBeNull();
      expect(result).toEqual({ days: 1461, hottest: '2014-08-11' });
    }
  });

  it('leaves nothing of a month that fails, and keeps the others', async () => {
    const { statesOf } = await runHere(WeatherWarehouse, { database, broken: ['2013-02'] });
    expect(statesOf('load').filter((state) => state === 'Failed')).toHaveLength(1);
    expect([daysOf('2013-01'), daysOf('2013-02'), daysOf('2013-03')]).toEqual([31, 0, 31]);
  });
});
