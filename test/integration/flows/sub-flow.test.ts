import { describe, expect, it } from 'vitest';
import { CityWeather, WeatherComparison } from '../../../flows/sub-flow.ts';
import { runHere } from './run-here.ts';

describe('sub-flow', () => {
  it('runs a flow for each city as a run of its own and compares their results', async () => {
    const { run, result, children } = await runHere(WeatherComparison);
    expect(run.error).toBeNull();
    expect(result).toBe('It rains most often in Seattle: on 43 % of 1461 days.');
    expect(children.map((child) => [child.flow, child.name, child.state.name])).toEqual(
      expect.arrayContaining([
        ['city-weather', 'weather in Seattle', 'Completed'],
        ['city-weather', 'weather in New York', 'Completed'],
      ]),
    );
    expect(children).toHaveLength(2);
  });

  it('can run the inner flow alone', async () => {
    const { result } = await runHere(CityWeather, { city: 'Seattle' });
    expect(result).toMatchObject({ city: 'Seattle', days: 1_461, warmestDegrees: 35.6 });
  });

  it('fails with the message of the inner flow when that fails', async () => {
    const { run, children } = await runHere(WeatherComparison, { cities: ['Seattle', 'Atlantis'] });
    expect(run.state.name).toBe('Failed');
    expect(JSON.stringify(run.error)).toContain('There is no weather for Atlantis; known are Seattle, New York.');
    expect(children.map((child) => child.state.name).sort()).toEqual(['Completed', 'Failed']);
  });
});
