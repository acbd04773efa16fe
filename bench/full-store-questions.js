/** What is asked of a full store: every list and overview of the dashboard, with the filters that people use and those that are hard. */

const dayMs = 24 * 3_600_000;

/** @param {import('batuta/client').Client} client */
export async function clientQuestions(client) {
  const { figures, runs } = client;
  const now = Date.now();
  const page = await runs.list({ limit: 50, until: now - 30 * dayMs });
  const [middle] = page.items;
  const busy = (await runs.list({ flow: 'orders-sync', states: ['COMPLETED'], limit: 1 })).items[0];
  return {
    'overview, a day': () => figures.overview(),
    'overview, 7 days': () => figures.overview({ sinceAt: now - 7 * dayMs }),
    'overview, 30 days': () => figures.overview({ sinceAt: now - 30 * dayMs }),
    'histogram, a day': () => figures.histogram(),
    'histogram, 60 days': () => figures.histogram({}, { fromAt: now - 60 * dayMs }),
    'histogram, 60 days of failures of a flow': () =>
      figures.histogram({ flow: 'orders-sync', states: ['FAILED'] }, { fromAt: now - 60 * dayMs }),
    'histogram, a day of a tag': () => figures.histogram({ tag: 'customer:acme' }),
    flows: () => figures.flows(),
    'flow, with tasks': () => figures.flow('orders-sync'),
    'days of a flow': () => figures.days({ flow: 'fraud-check' }),
    'days of a deployment': () => figures.days({ deployment: 'orders-eu' }),
    queues: () => figures.queues(),
    facets: () => figures.facets(),
    'runs, newest': () => figures.runs(),
    'runs, a page in the middle': () => figures.runs({ cursor: page.next ?? '' }),
    'runs, failed': () => figures.runs({ states: ['FAILED'] }),
    'runs, crashed (rare)': () => figures.runs({ states: ['CRASHED'] }),
    'runs, retrying (none)': () => figures.runs({ states: ['Retrying'] }),
    'runs, what is open': () => figures.runs({ states: ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'] }),
    'runs, of a flow': () => figures.runs({ flow: 'model-training' }),
    'runs, failed of a flow': () => figures.runs({ flow: 'fraud-check', states: ['FAILED', 'CRASHED'] }),
    'runs, completed of a flow': () => figures.runs({ flow: 'backup-database', states: ['COMPLETED'] }),
    'runs, of a deployment': () => figures.runs({ deployment: 'orders-eu' }),
    'runs, cancelled of a deployment': () => figures.runs({ deployment: 'orders-eu', states: ['CANCELLED'] }),
    'runs, of a tag': () => figures.runs({ tag: 'customer:acme' }),
    'runs, failed of a tag': () => figures.runs({ tag: 'customer:acme', states: ['FAILED'] }),
    'runs, of a tag and a flow': () => figures.runs({ tag: 'customer:acme', flow: 'webhook-delivery' }),
    'runs, of a queue': () => figures.runs({ queue: 'gpu' }),
    'runs, since and until': () => figures.runs({ since: now - 40 * dayMs, until: now - 39 * dayMs }),
    'runs, name contains': () => figures.runs({ search: 'otter' }),
    'runs, name contains (none)': () => figures.runs({ search: 'no run is called so' }),
    'runs, id begins': () => figures.runs({ search: middle?.id.slice(0, 13) ?? '' }),
    artifacts: () => client.artifacts.list(),
    'artifacts, named (none)': () => client.artifacts.list({ search: 'no artifact is called so' }),
    'run, task runs': () => runs.taskRuns(busy?.id ?? ''),
    'run, task counts': () => runs.taskCounts(busy?.id ?? ''),
    'run, logs': () => runs.logs(busy?.id ?? ''),
  };
}

/** The same as paths of the API. @param {(path: string) => Promise<any>} get */
export async function apiQuestions(get) {
  const day = (ago) => encodeURIComponent(new Date(Date.now() - ago * dayMs).toISOString());
  const middle = await get(`/api/runs?limit=50&until=${day(30)}`);
  const busy = (await get('/api/runs?flow=orders-sync&state=COMPLETED&limit=1')).items[0].id;
  return {
    'overview, a day': '/api/overview',
    'overview, 30 days': `/api/overview?since=${day(30)}`,
    'histogram, a day': '/api/runs/histogram',
    'histogram, 60 days': `/api/runs/histogram?since=${day(60)}`,
    flows: '/api/flows',
    'flow, with tasks': '/api/flows/orders-sync',
    'days of a flow': '/api/flows/fraud-check/days',
    deployments: '/api/deployments',
    'days of a deployment': '/api/deployments/orders-eu/days',
    queues: '/api/queues',
    workers: '/api/workers',
    facets: '/api/facets',
    'runs, newest': '/api/runs',
    'runs, a page in the middle': `/api/runs?cursor=${encodeURIComponent(middle.next)}`,
    'runs, failed': '/api/runs?state=FAILED',
    'runs, crashed (rare)': '/api/runs?state=CRASHED',
    'runs, what is open': '/api/runs?state=SCHEDULED&state=PENDING&state=RUNNING&state=PAUSED&state=CANCELLING',
    'runs, failed of a flow': '/api/runs?flow=fraud-check&state=FAILED&state=CRASHED',
    'runs, of a deployment': '/api/runs?deployment=orders-eu',
    'runs, of a tag': '/api/runs?tag=customer:acme',
    'runs, failed of a tag': '/api/runs?tag=customer:acme&state=FAILED',
    'runs, of a queue': '/api/runs?queue=gpu',
    'runs, name contains': '/api/runs?search=otter',
    'runs, name contains (none)': '/api/runs?search=no%20run%20is%20called%20so',
    artifacts: '/api/artifacts',
    run: `/api/runs/${busy}`,
    'run, task runs': `/api/runs/${busy}/tasks`,
    'run, transitions': `/api/runs/${busy}/transitions`,
    'run, logs': `/api/runs/${busy}/logs`,
  };
}
