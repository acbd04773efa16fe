import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
    for (const [month, count] of Object.entries(counts)) {
      const lines = readFileSync(join(given.out, `${month}.ndjson`), 'utf8')
        .trim()
        .split('\n');
      expect(lines).toHaveLength(count);
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ at: expect.stringMatching(new RegExp(`^${month}`)), delay: expect.any(Number) });
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
