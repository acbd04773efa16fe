/**
 * A paid order that is undone when it cannot be shipped: seats on a flight between two airports are held, paid for, and given back.
 *
 * The stock and the till are files in a folder, in place of services: what was done stands there, and what was undone does not.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

interface Airport {
  readonly code: string;
  readonly latitude: number;
  readonly longitude: number;
}

interface Held {
  readonly seat: string;
  readonly file: string;
}

const airportFile = fileURLToPath(new URL('../node_modules/vega-datasets/data/airports.csv', import.meta.url));
const earthRadiusKm = 6_371;

@Flow({ description: 'Holds seats, takes the money, and undoes both when the ticket cannot be sent.' })
export class PaidOrder {
  static readonly params = z.object({
    from: z.string().length(3).default('SFO'),
    to: z.string().length(3).default('JFK'),
    seats: z.array(z.string()).default(['12A', '12B']),
    /** Tickets are sent for flights up to this length. */
    longestKm: z.number().default(5_000),
    folder: z.string().default(join(tmpdir(), 'batuta-paid-order')),
  });

  @Task()
  async seats(ctx: TaskContext<typeof PaidOrder>): Promise<string[]> {
    return ctx.params.seats;
  }

  @Task()
  async route(ctx: TaskContext<typeof PaidOrder>): Promise<{ readonly km: number; readonly price: number }> {
    const lines = (await readFile(airportFile, 'utf8')).split('\n').map((line) => line.split(','));
    const airport = (code: string): Airport => {
      const found = lines.find(([iata]) => iata === code);
      if (!found) throw new Error(`There is no airport ${code}.`);
      return { code, latitude: Number(found.at(-2)), longitude: Number(found.at(-1)) };
    };
    const [from, to] = [airport(ctx.params.from), airport(ctx.params.to)];
    const km = Math.round(distanceKm(from, to));
    return { km, price: Math.ceil(km / 10) };
  }

  @Task({ each: 'seats', after: ['route'], rollback: 'release' })
  async hold(seat: string, ctx: TaskContext<typeof PaidOrder>): Promise<Held> {
    const file = join(ctx.params.folder, `seat-${seat}-${ctx.run.id}`);
    await mkdir(ctx.params.folder, { recursive: true });
    await writeFile(file, '');
    return { seat, file };
  }

  @Task({ needs: ['route', 'hold'], retries: 3, retryDelay: '1s', rollback: 'refund' })
  async pay(
    route: { km: number; price: number },
    held: Held[],
    ctx: TaskContext<typeof PaidOrder>,
  ): Promise<{ receipt: string; sum: number }> {
    const sum = route.price * held.length;
    const receipt = join(ctx.params.folder, `paid-${ctx.run.id}`);
    await writeFile(receipt, String(sum));
    return { receipt, sum };
  }

  @Task({ needs: ['route', 'pay'] })
  async send(route: { km: number }, paid: { sum: number }, ctx: TaskContext<typeof PaidOrder>): Promise<string> {
    if (route.km > ctx.params.longestKm) throw new Error(`No ticket is sent for ${route.km} km.`);
    return `${ctx.params.from}–${ctx.params.to}, ${route.km} km, ${paid.sum} paid`;
  }

  async release({ file }: Held): Promise<void> {
    await rm(file, { force: true });
  }

  @Task({ needs: ['pay'], retries: 5, retryDelay: '1s', backoff: 'exponential' })
  async refund({ receipt, sum }: { receipt: string; sum: number }, ctx: TaskContext): Promise<void> {
    await rm(receipt, { force: true });
    ctx.log.info(`${sum} given back.`);
  }
}

/** Along the great circle, by the haversine formula. */
function distanceKm(from: Airport, to: Airport): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (degrees: number): number => Math.sin(radians(degrees) / 2) ** 2;
  const north = half(to.latitude - from.latitude);
  const east = half(to.longitude - from.longitude) * Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(north + east));
}
