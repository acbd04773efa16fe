/**
 * A cached geocoder: where the cities of an address list lie, looked up in a table of all zip codes of the United States.
 *
 * A look-up reads 42,000 lines, so a city is looked up once and taken from the cache by every later run for 30 days.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

interface Place {
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Zip codes that were averaged; 0 when the city is not known. */
  readonly zipCodes: number;
}

const zipFile = fileURLToPath(new URL('../node_modules/vega-datasets/data/zipcodes.csv', import.meta.url));

@Flow({ description: 'Finds where cities lie, each once.' })
export class Geocoder {
  static readonly params = z.object({
    /** City and state as `Boston, MA`. */
    cities: z.array(z.string()).default(['Boston, MA', 'Denver, CO', 'Boston, MA', 'Atlantis, XX']),
  });

  @Task()
  async cities(ctx: TaskContext<typeof Geocoder>): Promise<string[]> {
    return ctx.params.cities.map((city) => city.trim());
  }

  // The version says when the code has changed; without it each edit of this file would have all cities looked up again.
  @Task({ each: 'cities', eachLimit: 4, version: '1', cache: { ttl: '30 days', key: (city: string) => city.toLowerCase() } })
  async locate(wanted: string): Promise<Place> {
    const [city = '', state = ''] = wanted.split(',').map((part) => part.trim().toLowerCase());
    let [latitude, longitude, zipCodes] = [0, 0, 0];
    for await (const line of createInterface({ input: createReadStream(zipFile) })) {
      const [, lat, lon, name, inState] = line.split(',');
      if (name?.toLowerCase() !== city || inState?.toLowerCase() !== state) continue;
      latitude += Number(lat);
      longitude += Number(lon);
      zipCodes += 1;
    }
    const round = (sum: number): number => (zipCodes === 0 ? 0 : Math.round((sum / zipCodes) * 10_000) / 10_000);
    return { city: wanted, latitude: round(latitude), longitude: round(longitude), zipCodes };
  }

  @Task({ needs: ['locate'] })
  async report(places: Place[], ctx: TaskContext): Promise<{ readonly found: Place[]; readonly unknown: string[] }> {
    const found = places.filter(({ zipCodes }) => zipCodes > 0);
    await ctx.artifact.table(
      'places',
      found.map((place) => ({ ...place })),
    );
    return { found, unknown: places.filter(({ zipCodes }) => zipCodes === 0).map(({ city }) => city) };
  }
}
