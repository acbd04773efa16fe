/**
 * A flow as plain code: as many pages as there are, each looked at from two sides at once, and an end that depends on what was found.
 *
 * Every call of a task is a task run: after a crash the loop runs again, and the calls that were recorded give their results at once.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

const params = z.object({
  pageSize: z.coerce.number().int().positive().default(400),
  /** Quakes of this magnitude or more raise an alert. */
  alertFrom: z.coerce.number().default(6),
});
type Params = z.infer<typeof params>;

interface Quake {
  readonly place: string;
  readonly magnitude: number;
}

interface Page {
  readonly quakes: Quake[];
  /** Where the next page begins; null after the last one. */
  readonly next: number | null;
}

/** The part of a GeoJSON feed of earthquakes that is used here. */
const feed = z.object({ features: z.array(z.object({ properties: z.object({ place: z.string(), mag: z.number().nullable() }) })) });

@Flow({ params, description: 'Looks through a feed of earthquakes, page by page.' })
export class QuakeWatch {
  async run({ alertFrom }: Params, ctx: FlowContext<Params>): Promise<string> {
    const strong: Quake[] = [];
    let weak = 0;
    let at: number | null = 0;
    while (at !== null) {
      const page: Page = await this.page(at, ctx);
      const [found, quiet] = await Promise.all([this.findStrong(page.quakes, alertFrom), this.countWeak(page.quakes, alertFrom)]);
      strong.push(...found);
      weak += quiet;
      at = page.next;
    }
    return strong.length === 0 ? this.allQuiet(weak) : this.alert(strong, ctx);
  }

  // Needs its context, so `run` hands over its own; the engine puts that of the task in its place.
  @Task({ retries: 3, retryDelay: '1s' })
  async page(from: number, ctx: TaskContext<Params>): Promise<Page> {
    const to = from + ctx.params.pageSize;
    const { features } = feed.parse(JSON.parse(await readFile(feedFile, 'utf8')));
    const quakes = features.slice(from, to).map(({ properties }) => ({ place: properties.place, magnitude: properties.mag ?? 0 }));
    return { quakes, next: to < features.length ? to : null };
  }

  @Task()
  async findStrong(quakes: Quake[], alertFrom: number): Promise<Quake[]> {
    return quakes.filter(({ magnitude }) => magnitude >= alertFrom);
  }

  @Task()
  async countWeak(quakes: Quake[], alertFrom: number): Promise<number> {
    return quakes.filter(({ magnitude }) => magnitude < alertFrom).length;
  }

  @Task()
  async allQuiet(weak: number): Promise<string> {
    return `All quiet: ${weak} quakes, none of them strong.`;
  }

  @Task()
  async alert(strong: Quake[], ctx: TaskContext<Params>): Promise<string> {
    const strongestFirst = [...strong].sort((a, b) => b.magnitude - a.magnitude);
    await ctx.artifact.table(
      'strong-quakes',
      strongestFirst.map(({ magnitude, place }) => ({ magnitude, place })),
    );
    const [strongest] = strongestFirst;
    return `${strong.length} strong quakes, the strongest ${strongest?.magnitude} ${strongest?.place}.`;
  }
}

/** Stands for a paged web service. */
const feedFile = fileURLToPath(new URL('../node_modules/vega-datasets/data/earthquakes.json', import.meta.url));
