/** Runs a flow in memory, with the usual engine and store, on a clock on which waiting costs nothing. */
import { systemClock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { makeId } from '../base/id.ts';
import { openLog } from '../base/log.ts';
import { identifyProcess } from '../base/process-identity.ts';
import { LocalClient } from '../client/local-client.ts';
import { definitionOf } from '../define/definition.ts';
import { Engine } from '../engine/engine.ts';
import type { Isolate } from '../engine/isolate/isolate.ts';
import { memoryPlace } from '../engine/results/memory-place.ts';
import { resultStorage } from '../engine/results/storage.ts';
import { defaultEngineSettings } from '../engine/services.ts';
import type { FlowContext } from '../model/context.ts';
import type { Emission } from '../model/emission.ts';
import type { FlowClass, ResultOf, StartArguments } from '../model/flow-types.ts';
import type { FlowDefinition, Instantiate } from '../model/flow.ts';
import type { NamedValues } from '../model/secret.ts';
import type { EngineListener } from '../model/events.ts';
import { bindField } from '../resources/fields.ts';
import { type Middleware, noMiddleware } from '../model/middleware.ts';
import { type DecisionAddresses, decisionName } from '../model/inbox.ts';
import { encodeValue } from '../engine/values/results.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { FakeClock } from './fake-clock.ts';
import { holdTime } from './hold-time.ts';
import { type Overrides, withOverrides } from './override.ts';
import { Fakes, type ResourceOverrides } from './override-resources.ts';
import { TestRun } from './test-run.ts';
import { type TestConnection, TestValues } from './test-values.ts';

export interface TestOptions<F> {
  /** Replacements of tasks: functions or values. */
  readonly override?: Overrides<F>;
  /** The same for flows it runs with `ctx.runFlow`. */
  readonly subFlows?: readonly (readonly [FlowClass, Readonly<Record<string, unknown>>])[];
  /** Flows in place of the deployments it runs with `ctx.runDeployment`, by name. */
  readonly deployments?: Readonly<Record<string, FlowClass>>;
  /**
   * Replacements of resources: by name, or a list of `override(resource, fake)`, which the compiler checks. A value is used unchanged; a
   * function or generator function opens it as the resource's own would. A name similar to that of a resource that was really opened is
   * refused at the end of the run; one unused for another reason causes a warning.
   */
  readonly resources?: ResourceOverrides;
  /** Creates the instances of flows, like the one in `batuta.config.ts`; default: their constructors, without arguments. */
  readonly instantiate?: Instantiate;
  /** Data of signals sent to the run before it starts, by name; a list sends several. */
  readonly signals?: Readonly<Record<string, unknown>>;
  /** People's decisions, by the name the flow waits for; a list for several of one name. A refused one throws DECISION_INVALID in the flow. */
  readonly decisions?: Readonly<Record<string, unknown>>;
  /** Values of secrets, by name; hidden in logs and errors like real ones. Others do not exist. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Values of variables, by name: plain JSON. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Fields of connections, by name; `kind` is the kind of each. */
  readonly connections?: Readonly<Record<string, TestConnection>>;
  /** Runs around the run and its tasks, outside the flow's own, like that of `batuta.config.ts`. Default none. */
  readonly middleware?: readonly Middleware[];
  /** See `RunOptions`. */
  readonly refreshCache?: boolean;
  /** Default: a new one, at 2026-01-01T00:00:00Z. */
  readonly clock?: FakeClock;
  /** Returns numbers in [0, 1), for jitter; default always 0.5. */
  readonly random?: () => number;
  /** Aborting cancels the run. */
  readonly signal?: AbortSignal;
  readonly onEvent?: EngineListener;
}

/**
 * Runs a flow to its end and returns everything about the run; a failing flow is not an error here.
 *
 * Retry delays pass at once. A timeout expires once all running code waits by `clock.sleep`. Tasks with `isolate` run in
 * this thread. Nothing is written to disk or printed.
 *
 * @throws BatutaError PARAMS_INVALID, USAGE (an override of no task or resource), and the errors of an invalid declaration.
 * @example ```ts const run = await testFlow(FlightDelays, { month: '01' }, { override: { airports: [] } });
 * run.expectState('Completed').expectTask('flights', 'Completed', { attempts: 2 }); ```
 */
export async function testFlow<C extends FlowClass>(
  flow: C,
  ...[params, options = {}]: StartArguments<C, [options?: TestOptions<InstanceType<C>>]>
): Promise<TestRun<ResultOf<C>>> {
  const clock = options.clock ?? new FakeClock();
  const replaced = new Map<FlowClass, Readonly<Record<string, unknown>>>(options.subFlows);
  const define = (cls: FlowClass): ReturnType<typeof definitionOf> => withOverrides(definitionOf(cls), replaced.get(cls) ?? {});
  const fakes = new Fakes(options.resources ?? {});
  const client = await openTestClient(clock, define, options, fakes, new TestValues(options), options.middleware);
  try {
    const begun = clock.elapsedMs;
    const definition = withSignals(withOverrides(definitionOf(flow), { ...options.override }), client, options);
    const hold = holdTime(clock);
    const handle = await client.submit<FlowDefinition>(definition, params, {
      onEvent: (event) => {
        hold(event);
        options.onEvent?.(event);
      },
      ...(options.signal ? { signal: options.signal } : {}),
      refreshCache: options.refreshCache,
    });
    const { result, thrown } = await handle.result().then(
      (value) => ({ result: value as ResultOf<C>, thrown: null }),
      (error: unknown) => ({ result: undefined, thrown: error instanceof Error ? (error.cause ?? error) : error }),
    );
    const [inspection, logs] = await Promise.all([client.runs.inspect(handle.id), client.runs.logs(handle.id, { limit: 10_000 })]);
    fakes.checkUse(definition.className, resourcesOf(definition));
    return new TestRun<ResultOf<C>>({
      ...{ inspection, logs, result, thrown, waitedMs: clock.elapsedMs - begun },
      emissions: await emissionsOf(client, handle.id),
    });
  } finally {
    await client.close();
  }
}

async function openTestClient(
  clock: FakeClock,
  define: (flow: FlowClass) => ReturnType<typeof definitionOf>,
  { random = () => 0.5, deployments = {}, instantiate }: Pick<TestOptions<unknown>, 'random' | 'deployments' | 'instantiate'>,
  fakes: Fakes,
  namedValues: NamedValues,
  middleware: readonly Middleware[] = noMiddleware,
): Promise<LocalClient> {
  const store = askingOnce(await openStore({ url: 'sqlite::memory:' }));
  await store.migrate();
  const log = await openLog({ level: 'trace', format: 'json', clock, write: () => undefined });
  const engine = new Engine(
    {
      store,
      results: resultStorage(memoryPlace()),
      clock,
      leaseClock: systemClock,
      log: log.logger,
      random,
      decisionAddresses: testAddresses,
      makeId,
      owner: identifyProcess(),
      isOwnerGone: () => false,
      settings: defaultEngineSettings,
      isolate: inThisThread(instantiate ?? null),
      instantiate: instantiate ?? null,
      fakes,
      namedValues,
      middleware: middleware.length === 0 ? noMiddleware : middleware,
      findDeployed: async (name, params) => {
        const flow = Object.hasOwn(deployments, name) ? deployments[name] : undefined;
        if (!flow)
          throw new BatutaError('DEPLOYMENT_NOT_FOUND', `The test names no deployment '${name}'; give it in the option deployments.`);
        return { definition: define(flow), params, deployment: { name, tags: [], runName: null, concurrency: null } };
      },
    },
    define,
  );
  const findDefinition = (): never => {
    throw new Error('A test runs each flow once.');
  };
  return new LocalClient({ store, engine, log, captureConsole: true, findDefinition });
}

/** A flow that refuses a person's answer asks again; here nobody would answer again, so it fails. */
function askingOnce(store: Store): Store {
  const refuse: Store['inbox']['refuse'] = async (_claim, name, _number, problem) => {
    throw new BatutaError('DECISION_INVALID', `The flow refuses what the test decides for '${name}': ${problem}`, {
      details: { item: name, issues: [{ path: '', message: problem }] },
    });
  };
  return { ...store, inbox: { ...store.inbox, refuse } };
}

/** The body of a code flow, with the signals sent before it begins: it must find them, as time does not wait for them. */
function withSignals(
  definition: FlowDefinition,
  client: LocalClient,
  { signals = {}, decisions = {} }: Pick<TestOptions<unknown>, 'signals' | 'decisions'>,
): FlowDefinition {
  const { run } = definition;
  if (!run || Object.keys(signals).length + Object.keys(decisions).length === 0) return definition;
  const { store, clock } = client.engine.services;
  let sent: Promise<void> | undefined;
  const send = async (id: string): Promise<void> => {
    for (const [name, data] of Object.entries(signals))
      for (const one of Array.isArray(data) ? data : [data]) await client.runs.signal(id, name, one);
    for (const [name, data] of Object.entries(decisions))
      for (const one of Array.isArray(data) ? data : [data])
        await store.signals.send(id, decisionName(name), encodeValue(one, `decision ${name}`), clock.now());
  };
  return {
    ...definition,
    async run(params, ctx) {
      sent ??= send((ctx as FlowContext).run.id);
      await sent;
      return run.call(this, params, ctx);
    },
  };
}

/** Names of the resources in its fields and in the transactions of its tasks. */
function resourcesOf({ injects, tasks }: FlowDefinition): string[] {
  return [...injects.map(({ resource }) => resource.name), ...[...tasks.values()].flatMap(({ transaction }) => transaction?.name ?? [])];
}

/** A thread or process would have its own clock. */
const inThisThread = (instantiate: Instantiate | null): Isolate => ({
  takePlace: () => null,
  givePlace: () => undefined,
  async call({ definition, task, args, context }) {
    const instance = await definition.create(instantiate);
    for (const { field, resource } of definition.injects) bindField(instance, field, constant(await context.use(resource)));
    return task.method.apply(instance, [...args, context]);
  },
  close: async () => undefined,
});

function constant(value: unknown): () => unknown {
  return () => value;
}

/** Dummy addresses. */
const testAddresses: DecisionAddresses = {
  pageOf: (itemId) => `http://batuta.test/inbox?item=${itemId}`,
  linkTo: ({ itemId, value, for: person }) =>
    `http://batuta.test/decide/${itemId}?${new URLSearchParams({ value, for: person ?? '' }).toString()}`,
};

/** All emissions of the run, over all its streams. */
async function emissionsOf({ runs }: LocalClient, id: string): Promise<readonly Emission[]> {
  const all: Emission[] = [];
  for (const { stream } of await runs.streams(id)) for await (const emission of runs.emitted(id, stream)) all.push(emission);
  return all.sort((one, other) => one.seq - other.seq);
}
