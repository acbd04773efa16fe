import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parquet } from 'batuta/streams';
import { describe, expect, it } from 'vitest';
import { FlightMonths } from '../../../flows/flight-months.ts';
import { deadLettersOf } from '../../../src/model/dead-letters.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';

describe('flight-months', () => {
  it('writes each flight to the file of its month, puts aside what cannot be, and takes that once it is allowed', async () => {
    const folder = ownFolder();
    const { client } = await ownEngine({ flows: [FlightMonths] });
    const given = { out: join(folder, 'first'), limit: 120_000, earliest: -50 };
    const first = await client.submit(FlightMonths, given);
    const counts = await first.result();
    const { artifacts, taskRuns } = await client.runs.inspect(first.id);
    const letters = deadLettersOf(artifacts);
    const written = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(letters.length).toBeGreaterThan(0);
    expect(written + letters.length).toBe(120_000);
    expect(readdirSync(given.out).toSorted()).toEqual(Object.keys(counts).map((month) => `${month}.parquet`));
    for (const [month, count] of Object.entries(counts)) {
      const rows = [];
      for await (const row of parquet(join(given.out, `${month}.parquet`))) rows.push(row);
      expect(rows).toHaveLength(count);
      expect(rows.every(({ at }) => (at as Date).toISOString().startsWith(month))).toBe(true);
      expect(rows[0]).toMatchObject({ delay: expect.any(Number), from: expect.stringMatching(/^[A-Z]{3}$/) });
    }
    const metrics = Object.fromEntries(taskRuns.map((row) => [row.name, row.metrics]));
    expect(metrics).toMatchObject({
      flights: { out: 120_000 },
      checked: { in: 120_000, out: written, rejected: letters.length },
      write: { in: written },
    });
    const again = await client.submit(FlightMonths, { ...given, out: join(folder, 'again'), earliest: -10_000 }, { replayOf: first.id });
    expect(Object.values(await again.result()).reduce((sum, count) => sum + count, 0)).toBe(letters.length);
  });
});
