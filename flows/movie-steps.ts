/**
 * Steps that a pipeline can be put together of: what 3,200 films cost and earned, by genre.
 *
 * `movie-report.ts` puts them together in TypeScript, `movie-report.yaml` in YAML. Each step takes the data as far as it needs it and gives
 * what it adds; none knows of the others.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TaskContext } from 'batuta';
import { z } from 'zod';
import { markdownTable } from './formats/markdown-table.ts';

export const params = z.object({
  file: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/movies.json', import.meta.url))),
  /** Genres with fewer films are left out. */
  minFilms: z.coerce.number().int().positive().default(50),
});

interface RawFilm {
  readonly Title: string | number | null;
  readonly 'Production Budget': number | null;
  readonly 'Worldwide Gross': number | null;
  readonly 'Major Genre': string | null;
}

export interface Film {
  readonly title: string;
  readonly genre: string;
  readonly budget: number;
  readonly gross: number;
}

export interface Genre {
  readonly name: string;
  readonly films: readonly Film[];
}

export async function readFilms({ file }: { readonly file: string }): Promise<{ rawFilms: RawFilm[] }> {
  return { rawFilms: JSON.parse(await readFile(file, 'utf8')) };
}

/** Keeps films of which budget, earnings and genre are known; the others are put aside with the reason. */
export function cleanFilms({ rawFilms }: { readonly rawFilms: readonly RawFilm[] }, ctx: TaskContext): { films: Film[]; dropped: number } {
  const films: Film[] = [];
  for (const raw of rawFilms) {
    const { Title: title, 'Major Genre': genre, 'Production Budget': budget, 'Worldwide Gross': gross } = raw;
    if (title === null) ctx.reject(raw, 'no title');
    else if (genre === null) ctx.reject(raw, 'no genre');
    else if (budget === null || budget <= 0 || gross === null) ctx.reject(raw, 'no budget or no earnings');
    else films.push({ title: String(title), genre, budget, gross });
  }
  return { films, dropped: rawFilms.length - films.length };
}

/** A step as an object: what it needs to be made is no data. */
export class GroupFilms {
  readonly #by: 'genre';

  constructor(by: 'genre') {
    this.#by = by;
  }

  run({ films, minFilms }: { readonly films: readonly Film[]; readonly minFilms: number }): { genres: Genre[] } {
    const groups = new Map<string, Film[]>();
    for (const film of films) groups.set(film[this.#by], [...(groups.get(film[this.#by]) ?? []), film]);
    const genres = [...groups].map(([name, grouped]) => ({ name, films: grouped }));
    return { genres: genres.filter((genre) => genre.films.length >= minFilms).sort((a, b) => b.films.length - a.films.length) };
  }
}

export function sumUpGenre({ genre }: { readonly genre: Genre }): { name: string; count: number; timesBudget: number; best: string } {
  const ratio = ({ gross, budget }: Film): number => gross / budget;
  const best = genre.films.reduce((a, b) => (ratio(b) > ratio(a) ? b : a));
  const sum = (of: (film: Film) => number): number => genre.films.reduce((total, film) => total + of(film), 0);
  return {
    name: genre.name,
    count: genre.films.length,
    timesBudget: Math.round((sum((film) => film.gross) / sum((film) => film.budget)) * 100) / 100,
    best: best.title,
  };
}

export function mostExpensive({ films }: { readonly films: readonly Film[] }): { mostExpensive: string } {
  return { mostExpensive: films.reduce((a, b) => (b.budget > a.budget ? b : a)).title };
}

export function isDirty({ dropped, films }: { readonly dropped: number; readonly films: readonly Film[] }): boolean {
  return dropped > films.length / 2;
}

export function warnOfDirt({ dropped }: { readonly dropped: number }, ctx: TaskContext): { warning: string } {
  const warning = `${dropped} films had to be left out.`;
  ctx.log.warn(warning);
  return { warning };
}

type Row = ReturnType<typeof sumUpGenre>;

export async function report(
  data: { readonly rows: readonly Row[]; readonly mostExpensive: string; readonly warning?: string | undefined },
  ctx: TaskContext,
): Promise<{ genresInReport: number }> {
  const table = markdownTable(
    ['Genre', 'Films', 'Earned per dollar', 'Best'],
    data.rows.map(({ name, count, timesBudget, best }) => [name, count, timesBudget, best]),
  );
  const notes = [`The most expensive: ${data.mostExpensive}.`, ...(data.warning === undefined ? [] : [data.warning])];
  await ctx.artifact.markdown('films by genre', `${table}\n\n${notes.join(' ')}\n`);
  return { genresInReport: data.rows.length };
}
