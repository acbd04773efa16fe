/**
 * A flow that runs another flow: each city's weather is a run of its own, with its own tasks, retries and page, and can be started alone.
 *
 * The file holds two flows, so say which: `batuta run flows/sub-flow.ts:WeatherComparison`.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Flow, type FlowContext, Task } from 'batuta';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';

const cityParams = z.object({ city: z.string().min(1) });

const day = z.object({ location: z.string(), temp_max: z.coerce.number(), precipitation: z.coerce.number() });
type Day = z.infer<typeof day>;

export interface Summary {
  readonly city: string;
  readonly days: number;
  readonly warmestDegrees: number;
  readonly rainyShare: number;
}

@Flow({ params: cityParams, description: 'Sums up four years of weather in one city.', runName: 'weather in {city}' })
export class CityWeather {
  async run({ city }: z.infer<typeof cityParams>): Promise<Summary> {
    const days = await this.days(city);
    return this.summary(city, days);
  }

  @Task({ retries: 2 })
  async days(city: string): Promise<Day[]> {
    const all = z.array(day).parse(parseCsv(await readFile(weatherFile, 'utf8'), { columns: true }));
    const days = all.filter(({ location }) => location === city);
    if (days.length === 0)
      throw new Error(`There is no weather for ${city}; known are ${[...new Set(all.map(({ location }) => location))].join(', ')}.`);
    return days;
  }

  @Task()
  async summary(city: string, days: Day[]): Promise<Summary> {
    const rainy = days.filter(({ precipitation }) => precipitation > 0);
    return {
      city,
      days: days.length,
      warmestDegrees: Math.max(...days.map(({ temp_max }) => temp_max)),
      rainyShare: rainy.length / days.length,
    };
  }
}

const comparisonParams = z.object({ cities: z.array(z.string()).min(2).default(['Seattle', 'New York']) });

@Flow({ params: comparisonParams, description: 'Which city is the rainiest?' })
export class WeatherComparison {
  async run({ cities }: z.infer<typeof comparisonParams>, ctx: FlowContext): Promise<string> {
    const summaries = await Promise.all(cities.map((city) => ctx.runFlow(CityWeather, { city })));
    return this.verdict(summaries);
  }

  @Task()
  async verdict(summaries: Summary[]): Promise<string> {
    const [rainiest] = [...summaries].sort((a, b) => b.rainyShare - a.rainyShare);
    if (!rainiest) throw new Error('There is nothing to compare.');
    return `It rains most often in ${rainiest.city}: on ${(100 * rainiest.rainyShare).toFixed(0)} % of ${rainiest.days} days.`;
  }
}

const weatherFile = fileURLToPath(new URL('../node_modules/vega-datasets/data/weather.csv', import.meta.url));
