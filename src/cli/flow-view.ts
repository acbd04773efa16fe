/** A flow as the commands `flow …` show it: read from its stored form, whether loaded here or known to a server. */
import { z } from 'zod';
import type { Client } from '../client/client.ts';
import { findFlow } from '../define/find-flow.ts';
import { describeFlow } from '../engine/submit/describe-flow.ts';
import type { StoredFlow } from '../store/store.ts';
import type { CommandContext } from './context.ts';
import { loadQuietly } from './output-capture.ts';
import { asksServer, openSettings, withClientOf } from './open.ts';

const delay = z.union([z.number(), z.array(z.number())]).nullable();
const names = z.array(z.string()).default([]);

/** Each field has a default: an older version stored fewer. */
const task = z.object({
  name: z.string(),
  description: z.string().nullable().default(null),
  version: z.string().nullable().default(null),
  tags: names,
  needs: names,
  after: names,
  each: z.string().nullable().default(null),
  eachLimit: z.number().nullable().default(null),
  conditional: z.boolean().default(false),
  trigger: z.string().default('allSucceeded'),
  retries: z.number().default(0),
  /** Null if computed by a function. */
  retryDelayMs: delay.default(0),
  backoff: z.string().default('fixed'),
  maxRetryDelayMs: z.number().nullable().default(null),
  jitter: z.number().default(0),
  timeoutMs: z.number().nullable().default(null),
  priority: z.number().default(0),
  slots: z.number().default(1),
  isolate: z.string().nullable().default(null),
  memoryBytes: z.number().nullable().default(null),
  profile: z.boolean().default(false),
  spread: z.boolean().default(false),
  queue: z.string().nullable().default(null),
  persist: z.boolean().default(true),
});

const options = z.object({
  className: z.string().nullable().default(null),
  retries: z.number().default(0),
  retryDelayMs: delay.default(0),
  backoff: z.string().default('fixed'),
  timeoutMs: z.number().nullable().default(null),
  concurrency: z.number().nullable().default(null),
  slots: z.number().default(1),
  fairness: z.string().nullable().default(null),
  result: z.string().nullable().default(null),
  hooks: z.array(z.object({ event: z.string(), name: z.string() })).default([]),
  hasParams: z.boolean().default(false),
  versioning: z.string().default('continue'),
});

const graph = z.object({
  nodes: z.array(task).default([]),
  edges: z.array(z.object({ from: z.string(), to: z.string(), kind: z.enum(['data', 'each', 'order']) })).default([]),
  options: options.prefault({}),
});

export type TaskView = z.infer<typeof task>;

export interface FlowView extends z.infer<typeof options> {
  readonly name: string;
  readonly className: string;
  readonly kind: 'graph' | 'code';
  readonly version: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly file: string | null;
  readonly exportName: string | null;
  readonly paramsSchema: unknown;
  readonly tasks: readonly TaskView[];
  readonly edges: z.infer<typeof graph>['edges'];
}

/** View of a stored flow. */
export function flowView(flow: StoredFlow): FlowView {
  const read = graph.safeParse(flow.graph);
  const { nodes, edges, options: known } = read.success ? read.data : graph.parse({});
  const [, file = null, exportName = null] = /^(.*)#([^#]*)$/s.exec(flow.source ?? '') ?? [];
  const { name, kind, version, description, tags, paramsSchema } = flow;
  const hasParams = known.hasParams || paramsSchema !== null;
  return {
    ...{ ...known, hasParams, name, kind, version, description, tags, file, exportName, paramsSchema },
    className: known.className ?? exportName ?? name,
    tasks: nodes,
    edges,
  };
}

/**
 * The flow a person means, by name or class: among the files of the project or, with a server, among the flows it knows.
 *
 * @throws BatutaError FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_…
 */
export async function findFlowView(context: CommandContext, target: string): Promise<FlowView> {
  const settings = await openSettings(context);
  if (asksServer(settings)) return withClientOf(context, settings, (client) => askForFlow(client, target));
  const { cwd } = context.terminal;
  const definition = await loadQuietly(context, () => findFlow(target, { flowsPath: settings.config.flows, cwd }));
  return flowView(describeFlow(definition, context.clock.now()));
}

async function askForFlow(client: Client, target: string): Promise<FlowView> {
  const known = (await client.flows.list()).map(flowView);
  const found = known.find(({ name }) => name === target) ?? known.find(({ className }) => className === target);
  return found ?? flowView(await client.flows.get(target));
}
