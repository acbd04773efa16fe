/**
 * Dirty data as a stream: 3,200 films, of which some have no title, some earned nothing, and some came out in 2046, as years were once written with two digits.
 *
 * A film that cannot be right is put aside with the reason and its line. Once the check is mended (`centuries: true`), `batuta runs rejects <id> --retry`,
 * or a run with `replayOf`, gives it those films again, and no others.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, Task, type TaskContext } from 'batuta';
import { at, lines, map, toCsv } from 'batuta/streams';
import { z } from 'zod';

/** The films were collected in that year. */
const collected = 2010;

const params = z.object({
  file: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/movies.json', import.meta.url))),
  out: z.string().default('out/movies.csv'),
  /** Whether a year that is still to come is taken for one of the century before. */
  centuries: z.stringbool().or(z.boolean()).default(false),
});
type Params = z.infer<typeof params>;

const film = z
  .object({
    Title: z.union([z.string().min(1), z.number().transform(String)]),
    'Release Date': z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'no date'),
    'Worldwide Gross': z.number().positive('earned nothing'),
    'Major Genre': z.string().nullable(),
  })
  .transform((raw) => ({
    title: raw.Title,
    year: new Date(raw['Release Date']).getFullYear(),
    genre: raw['Major Genre'],
    gross: raw['Worldwide Gross'],
  }));

type Film = z.infer<typeof film>;

@Flow({ description: 'Checks films as a stream, puts aside what cannot be right, and writes the others as CSV.', tags: ['demo'] })
export class DirtyMovies {
  static readonly params = params;
  static readonly result = 'write';

  /** The file holds a list with one film a line. */
  @Task({ retries: 2 })
  async *films(ctx: TaskContext<Params>) {
    let line = 0;
    for await (const text of lines(ctx.params.file)) {
      line++;
      if (text.trim().length < 2) continue;
      try {
        yield at(line, JSON.parse(text.replace(/,\s*$/, '')) as object);
      } catch {
        ctx.reject({ line, text }, 'no JSON');
      }
    }
  }

  @Task({ needs: ['films'], maxErrorRate: { share: 0.1, from: 1_000 } })
  async *checked(films: AsyncIterable<object>, ctx: TaskContext<Params>): AsyncGenerator<Film> {
    for await (const raw of films) {
      const { data, error } = film.safeParse(raw);
      if (data === undefined) ctx.reject(raw, reasonOf(error));
      else if (data.year <= collected) yield data;
      else if (ctx.params.centuries) yield { ...data, year: data.year - 100 };
      else ctx.reject(raw, `came out after ${collected}`);
    }
  }

  @Task({ needs: ['checked'] })
  async write(films: AsyncIterable<Film>, ctx: TaskContext<Params>): Promise<{ written: number; byDecade: Record<string, number> }> {
    const byDecade: Record<string, number> = {};
    const counted = map(films, (one) => {
      const decade = `${Math.floor(one.year / 10)}0s`;
      byDecade[decade] = (byDecade[decade] ?? 0) + 1;
      return one;
    });
    await mkdir(dirname(ctx.params.out), { recursive: true });
    await writeFile(ctx.params.out, toCsv(counted, { columns: ['title', 'year', 'genre', 'gross'], escapeFormulas: true }));
    return { written: Object.values(byDecade).reduce((sum, count) => sum + count, 0), byDecade };
  }
}

/** The first thing wrong, led by the field it is about. */
function reasonOf(error: z.ZodError): string {
  const [first] = error.issues;
  return first === undefined ? 'not valid' : `${first.path.join('.')}: ${first.message}`;
}
