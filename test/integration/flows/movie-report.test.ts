import { describe, expect, it } from 'vitest';
import { MovieReport, MovieReportYaml } from '../../../flows/movie-report.ts';
import { runHere } from './run-here.ts';

interface Result {
  readonly rawFilms: readonly object[];
  readonly films: readonly object[];
  readonly rows: readonly object[];
  readonly dropped: number;
  readonly genresInReport: number;
  readonly mostExpensive: string;
}

describe.each([MovieReport, MovieReportYaml])('movie-report, in TypeScript and in YAML', (flow) => {
  it('sums up real films by genre, with every film either taken or put aside', async () => {
    const recorded = await runHere(flow);
    expect([recorded.run.state.name, recorded.run.error]).toEqual(['Completed', null]);
    const { rawFilms, films, dropped, rows, genresInReport, mostExpensive } = recorded.result as Result;
    expect([rawFilms.length, films.length, dropped]).toEqual([3201, 2923, 278]);
    expect([rows.length, genresInReport]).toEqual([8, 8]);
    expect(rows[0]).toMatchObject({ name: 'Drama', count: 789 });
    expect(mostExpensive).toBe("Pirates of the Caribbean: At World's End");
    expect(recorded.statesOf('Warn of dirt')).toEqual(['Skipped']);
    expect(recorded.statesOf('Sum up a genre')).toHaveLength(8);
    expect(recorded.artifact('films by genre')).toContain('Earned per dollar');
  });
});
