/** The flows and deployments of an invented company, as a store that has been in use for months holds them. */

export interface SeedTask {
  readonly name: string;
  readonly needs: readonly string[];
  /** Usual time it takes, ms. */
  readonly ms: number;
  /** One task run per item. */
  readonly each?: string;
  /** Stands for a run of another flow. */
  readonly subFlow?: string;
}

export interface SeedDeployment {
  readonly name: string;
  readonly tags: readonly string[];
  readonly cron: string;
  readonly queue: string;
}

export interface SeedFlow {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly tasks: readonly SeedTask[];
  /** Share of all runs. */
  readonly weight: number;
  /** How busy each hour of a UTC day is, relative to the others. */
  readonly hours: (hour: number, weekday: number) => number;
  /** Part of the runs that fail on an ordinary day. */
  readonly failing: number;
  readonly deployments: readonly SeedDeployment[];
  /** Tags that single runs have beside those of the flow; one of them each. */
  readonly runTags: readonly string[];
}

const always = (): number => 1;
const office = (hour: number, weekday: number): number => (weekday === 0 || weekday === 6 ? 0.15 : hour >= 7 && hour < 18 ? 2 : 0.3);
const night = (hour: number): number => (hour >= 1 && hour < 5 ? 5 : 0.05);
const evenings = (hour: number): number => (hour >= 16 && hour < 23 ? 2.5 : 0.6);

function chain(...tasks: readonly (readonly [name: string, ms: number])[]): SeedTask[] {
  return tasks.map(([name, ms], at) => ({ name, ms, needs: at === 0 ? [] : [tasks[at - 1]?.[0] ?? ''] }));
}

function mapped(before: readonly SeedTask[], name: string, ms: number, after: readonly SeedTask[]): SeedTask[] {
  const last = before.at(-1)?.name ?? '';
  const [first, ...rest] = after;
  return [...before, { name, ms, needs: [last], each: last }, ...(first ? [{ ...first, needs: [name] }, ...rest] : [])];
}

const customers = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'wonka'].map((name) => `customer:${name}`);
const regions = ['eu', 'us', 'apac'];

/** In no order. */
export const flows: readonly SeedFlow[] = [
  {
    name: 'orders-sync',
    description: 'Brings new orders of a region into the warehouse.',
    tags: ['orders', 'etl'],
    tasks: mapped(chain(['cursor', 40], ['fetch-pages', 900]), 'load-page', 350, chain(['reconcile', 500], ['publish', 80])),
    weight: 26,
    hours: evenings,
    failing: 0.015,
    deployments: regions.map((region) => ({ name: `orders-${region}`, tags: [region], cron: '*/2 * * * *', queue: 'etl' })),
    runTags: [],
  },
  {
    name: 'fraud-check',
    description: 'Scores one payment.',
    tags: ['payments'],
    tasks: chain(['load-payment', 15], ['score', 120], ['decide', 8]),
    weight: 24,
    hours: evenings,
    failing: 0.004,
    deployments: [],
    runTags: customers,
  },
  {
    name: 'price-watch',
    description: 'Compares our prices with those of others.',
    tags: ['prices', 'crawl'],
    tasks: mapped(chain(['list-products', 200]), 'fetch-price', 1_400, chain(['compare', 300], ['alert', 60])),
    weight: 12,
    hours: office,
    failing: 0.06,
    deployments: ['books', 'toys', 'garden', 'kitchen'].map((shop) => ({
      name: `prices-${shop}`,
      tags: [shop],
      cron: '*/5 * * * *',
      queue: 'crawl',
    })),
    runTags: [],
  },
  {
    name: 'invoice-export',
    description: 'Writes the invoices of an hour as files and hands them to accounting.',
    tags: ['finance'],
    tasks: mapped(chain(['select-invoices', 180]), 'render-pdf', 700, chain(['upload', 1_200], ['notify', 50])),
    weight: 6,
    hours: always,
    failing: 0.02,
    deployments: regions.map((region) => ({ name: `invoices-${region}`, tags: [region, 'finance'], cron: '5 * * * *', queue: 'default' })),
    runTags: [],
  },
  {
    name: 'customer-import',
    description: 'Takes the customers of a file in, and checks their addresses.',
    tags: ['customers'],
    tasks: [
      ...mapped(chain(['read-file', 400]), 'clean-row', 25, []),
      { name: 'flow:address-check', ms: 2_500, needs: ['clean-row'], subFlow: 'address-check' },
      { name: 'merge', ms: 600, needs: ['flow:address-check'] },
    ],
    weight: 7,
    hours: office,
    failing: 0.04,
    deployments: [],
    runTags: customers,
  },
  {
    name: 'address-check',
    description: 'Checks addresses against the register.',
    tags: ['customers'],
    tasks: chain(['normalise', 60], ['look-up', 1_800], ['grade', 20]),
    weight: 0,
    hours: always,
    failing: 0.02,
    deployments: [],
    runTags: [],
  },
  {
    name: 'nightly-report',
    description: 'Computes the figures of yesterday and mails them.',
    tags: ['reports', 'finance'],
    tasks: [
      ...chain(['extract-sales', 42_000]),
      { name: 'extract-costs', ms: 31_000, needs: [] },
      { name: 'join', ms: 12_000, needs: ['extract-sales', 'extract-costs'] },
      { name: 'charts', ms: 9_000, needs: ['join'] },
      { name: 'tables', ms: 5_000, needs: ['join'] },
      { name: 'mail', ms: 900, needs: ['charts', 'tables'] },
    ],
    weight: 4,
    hours: night,
    failing: 0.03,
    deployments: ['sales', 'finance', 'board'].map((team) => ({
      name: `report-${team}`,
      tags: [team],
      cron: '30 2 * * *',
      queue: 'default',
    })),
    runTags: [],
  },
  {
    name: 'thumbnails',
    description: 'Cuts the pictures of an upload to size.',
    tags: ['media'],
    tasks: mapped(chain(['probe', 90]), 'resize', 260, chain(['store', 140])),
    weight: 12,
    hours: evenings,
    failing: 0.01,
    deployments: [],
    runTags: ['source:web', 'source:app', 'source:partner'],
  },
  {
    name: 'model-training',
    description: 'Trains the recommendations anew.',
    tags: ['ml'],
    tasks: chain(['sample', 60_000], ['features', 240_000], ['train', 1_500_000], ['evaluate', 120_000], ['promote', 4_000]),
    weight: 0.6,
    hours: night,
    failing: 0.12,
    deployments: [{ name: 'recommendations', tags: ['ml', 'gpu'], cron: '0 1 * * *', queue: 'gpu' }],
    runTags: [],
  },
  {
    name: 'backup-database',
    description: 'Takes a backup and proves that it can be read.',
    tags: ['ops'],
    tasks: chain(['dump', 180_000], ['encrypt', 30_000], ['upload', 90_000], ['verify', 60_000]),
    weight: 1.4,
    hours: night,
    failing: 0.008,
    deployments: ['orders', 'customers', 'payments'].map((name) => ({
      name: `backup-${name}`,
      tags: ['ops'],
      cron: '15 3 * * *',
      queue: 'default',
    })),
    runTags: [],
  },
  {
    name: 'webhook-delivery',
    description: 'Hands an event to a customer.',
    tags: ['events'],
    tasks: chain(['sign', 5], ['deliver', 320], ['confirm', 12]),
    weight: 7,
    hours: always,
    failing: 0.05,
    deployments: [],
    runTags: customers,
  },
];
