import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WarehouseLoad } from '../../../flows/warehouse-load.ts';
import { runHere } from './run-here.ts';

describe('warehouse-load', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-warehouse-'));
    process.env['WAREHOUSE_FILE'] = join(folder, 'warehouse.db');
  });
  afterEach(() => {
    delete process.env['WAREHOUSE_FILE'];
    rmSync(folder, { recursive: true, force: true });
  });

  it('loads every flight once, with each batch the record of its effect', async () => {
    const { run, result, statesOf, artifact } = await runHere(WarehouseLoad, { batch: 300 });
    expect([run.state.name, run.error]).toEqual(['Completed', null]);
    expect(result).toMatchObject({ loaded: 2_000, worst: expect.any(String) as string });
    expect(statesOf('load')).toEqual(Array.from({ length: 7 }, () => 'Completed'));
    expect(artifact('worst airports')).toHaveLength(5);
    const database = new Sqlite(join(folder, 'warehouse.db'));
    const one = (text: string): unknown => Object.values(database.prepare(text).get() as object)[0];
    expect([one('select count(*) from flights'), one('select sum(departures) from airports')]).toEqual([2_000, 2_000]);
    expect(one(`select count(*) from batuta_effects where run_id = '${run.id}'`)).toBe(9);
    database.close();
  });
});
