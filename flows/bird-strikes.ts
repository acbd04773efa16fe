/**
 * Dirty data: 10,000 reports of birds that met aeroplanes, as people typed them.
 *
 * A record that cannot be trusted is put aside with the reason, and the flow goes on with the others.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Flow, type Out, Task, type TaskContext } from 'batuta';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { markdownTable } from './formats/markdown-table.ts';

const params = z.object({
  file: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/birdstrikes.csv', import.meta.url))),
  /** More rejected records than this share of all, and the source is broken rather than dirty: the flow fails. */
  maxRejected: z.coerce.number().min(0).max(1).default(0.05),
});
type Params = z.infer<typeof params>;

const inTheAir = ['Climb', 'Descent', 'Approach'];

const strike = z
  .object({
    'Airport Name': z.string().min(1),
    'Flight Date': z.iso.date(),
    'Phase of flight': z.string().min(1),
    'Wildlife Species': z.string().min(1),
    'Effect Amount of damage': z.enum(['None', 'Minor', 'Medium', 'Substantial'], 'unknown code'),
    'Cost Repair': z.coerce.number().int().nonnegative(),
    'Cost Total $': z.coerce.number().int().nonnegative(),
    // An empty speed was not noted, which is honest; a speed of 0 in the air was made up.
    'Speed IAS in knots': z.union([z.literal('').transform(() => null), z.coerce.number().nonnegative()]),
  })
  .transform((row) => ({
    airport: row['Airport Name'],
    date: row['Flight Date'],
    phase: row['Phase of flight'],
    species: row['Wildlife Species'],
    damage: row['Effect Amount of damage'],
    repairDollars: row['Cost Repair'],
    totalDollars: row['Cost Total $'],
    speedKnots: row['Speed IAS in knots'],
  }))
  .refine((it) => !(it.damage === 'None' && it.repairDollars > 0), 'repaired, although nothing was damaged')
  .refine((it) => !(it.speedKnots === 0 && inTheAir.includes(it.phase)), 'in the air at 0 knots');

type Strike = z.infer<typeof strike>;

@Flow({ params, description: 'Cleans reports of bird strikes and says which species are dangerous.', result: 'report' })
export class BirdStrikes {
  @Task()
  async records(ctx: TaskContext<Params>): Promise<Record<string, string>[]> {
    return parseCsv(await readFile(ctx.params.file, 'utf8'), { columns: true, bom: true });
  }

  @Task({ needs: ['records'] })
  async clean(records: Record<string, string>[], ctx: TaskContext<Params>) {
    const strikes: Strike[] = [];
    const rejected: Record<string, number> = {};
    const reject = (record: object, reason: string): void => {
      rejected[reason] = (rejected[reason] ?? 0) + 1;
      ctx.reject(record, reason);
    };

    const seen = new Set<string>();
    for (const record of records) {
      const identity = JSON.stringify(record);
      const parsed = strike.safeParse(record);
      if (seen.has(identity)) reject(record, 'reported twice');
      else if (!parsed.success) reject(record, reasonOf(parsed.error));
      else strikes.push(parsed.data);
      seen.add(identity);
    }

    const share = 1 - strikes.length / Math.max(1, records.length);
    if (share > ctx.params.maxRejected)
      throw new Error(`${(100 * share).toFixed(1)} % of the records were rejected; is this the right file?`);
    return { strikes, rejected };
  }

  @Task({ needs: ['clean'] })
  async report({ strikes, rejected }: Out<BirdStrikes, 'clean'>, ctx: TaskContext<Params>) {
    const species = rankSpecies(strikes).slice(0, 10);
    const speciesTable = markdownTable(
      ['species', 'strikes', 'with damage', 'mean cost when damaged'],
      species.map((it) => [it.species, it.strikes, `${it.damagePercent.toFixed(0)} %`, `${it.meanDollars.toFixed(0)} $`]),
    );
    const rejectedTable = markdownTable(['rejected because', 'records'], Object.entries(rejected));
    await ctx.artifact.markdown('bird-strikes', `# Most dangerous species\n\n${speciesTable}\n\n# Records put aside\n\n${rejectedTable}`);
    return { accepted: strikes.length, rejected, species };
  }
}

/** The first thing wrong, led by the name of the field it is about. */
function reasonOf(error: z.ZodError): string {
  const [first] = error.issues;
  return first === undefined ? 'not valid' : [...first.path, first.message].join(': ');
}

/** Species seen at least 20 times, those that damage most often first. */
function rankSpecies(strikes: readonly Strike[]) {
  const bySpecies = new Map<string, Strike[]>();
  for (const it of strikes) {
    const all = bySpecies.get(it.species);
    if (all) all.push(it);
    else bySpecies.set(it.species, [it]);
  }
  return [...bySpecies]
    .filter(([, all]) => all.length >= 20)
    .map(([species, all]) => {
      const damaged = all.filter((it) => it.damage !== 'None');
      const dollars = damaged.reduce((sum, it) => sum + it.totalDollars, 0);
      return {
        species,
        strikes: all.length,
        damagePercent: (100 * damaged.length) / all.length,
        meanDollars: dollars / Math.max(1, damaged.length),
      };
    })
    .sort((a, b) => b.damagePercent - a.damagePercent);
}
