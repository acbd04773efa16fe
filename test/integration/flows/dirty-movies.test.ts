import { join } from 'node:path';
import { csv } from 'batuta/streams';
import { describe, expect, it } from 'vitest';
import { DirtyMovies } from '../../../flows/dirty-movies.ts';
import { deadLettersOf } from '../../../src/model/dead-letters.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';

const titlesIn = async (file: string): Promise<string[]> => {
  const titles = [];
  for await (const { title = '' } of csv(file)) titles.push(title);
  return titles;
};

describe('dirty-movies', () => {
  it('writes films that can be right, keeps the others with reason and line, and gives those to the mended check', async () => {
    const folder = ownFolder();
    const { client } = await ownEngine({ flows: [DirtyMovies] });
    const given = { out: join(folder, 'movies.csv') };
    const first = await client.submit(DirtyMovies, given);
    const { written, byDecade } = await first.result();
    const letters = deadLettersOf((await client.runs.inspect(first.id)).artifacts);
    expect(written + letters.length).toBe(3_201);
    expect(Object.keys(byDecade)).not.toContain('2040s');
    expect(await titlesIn(given.out)).toHaveLength(written);
    const future = letters.filter(({ reason }) => reason === 'came out after 2010');
    expect(future.length).toBeGreaterThan(10);
    expect(letters.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Worldwide Gross: earned nothing']));
    expect(letters.every(({ stage, position }) => stage === 'checked' && Number(position) > 1)).toBe(true);

    const mended = { out: join(folder, 'mended.csv'), centuries: true };
    const again = await client.submit(DirtyMovies, mended, { replayOf: first.id });
    expect(await again.result()).toMatchObject({ written: future.length });
    const titles = future.map(({ record }) => String((record as { Title: unknown }).Title));
    expect((await titlesIn(mended.out)).toSorted()).toEqual(titles.toSorted());
    expect(deadLettersOf((await client.runs.inspect(again.id)).artifacts)).toHaveLength(letters.length - future.length);
  });
});
