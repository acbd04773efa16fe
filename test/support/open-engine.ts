/** An engine with its client over a database of the test's own, in which a test may choose what a user never does: settings, clocks, who counts as gone. */
import { openLog } from '../../src/base/log.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { makeId } from '../../src/base/id.ts';
import { identifyProcess, isProcessGone } from '../../src/base/process-identity.ts';
import { LocalClient } from '../../src/client/local-client.ts';
import { definitionOf } from '../../src/define/definition.ts';
import { Engine } from '../../src/engine/engine.ts';
import { folderPlace } from '../../src/engine/results/folder-place.ts';
import { memoryPlace } from '../../src/engine/results/memory-place.ts';
import { type ResultStorage, resultStorage } from '../../src/engine/results/storage.ts';
import type { Spread } from '../../src/engine/spread/spread.ts';
import { SpreadOffers } from '../../src/engine/spread/spread-offers.ts';
import { defaultEngineSettings, type EngineSettings } from '../../src/engine/services.ts';
import type { FlowClass } from '../../src/model/flow-types.ts';
import type { DecisionAddresses } from '../../src/model/inbox.ts';
import type { Owner } from '../../src/model/run.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export interface EngineParts {
  /** Default: in memory. */
  readonly url?: string;
  readonly store?: Store;
  /** Folder for large results, or where else they are kept; default: in memory. */
  readonly results?: string | ResultStorage;
  readonly settings?: Partial<EngineSettings>;
  readonly clock?: Clock;
  readonly leaseClock?: Clock;
  /** Default: the process of the owner is gone. */
  readonly isOwnerGone?: (owner: Owner) => boolean;
  /** Flows of which recorded runs may be continued, by the names they have. */
  readonly flows?: readonly FlowClass[];
  /** Carries spread tasks to workers; default: they run in this engine. */
  readonly spread?: Spread;
  readonly decisionAddresses?: DecisionAddresses;
}

export interface OpenEngine {
  readonly client: LocalClient;
  readonly engine: Engine;
  readonly store: Store;
}

/** Close the client at the end. */
export async function openEngine(parts: EngineParts = {}): Promise<OpenEngine> {
  const store = parts.store ?? (await openStore({ url: parts.url ?? 'sqlite::memory:' }));
  const log = await openLog({ level: 'warn', format: 'json', write: () => undefined });
  const engine = new Engine(
    {
      store,
      results:
        typeof parts.results === 'string' ? resultStorage(folderPlace(parts.results)) : (parts.results ?? resultStorage(memoryPlace())),
      clock: parts.clock ?? systemClock,
      leaseClock: parts.leaseClock ?? systemClock,
      log: log.logger,
      random: () => 0.5,
      makeId,
      owner: identifyProcess(),
      isOwnerGone: parts.isOwnerGone ?? isProcessGone,
      decisionAddresses: parts.decisionAddresses ?? null,
      settings: { ...defaultEngineSettings, ...parts.settings },
      isolate: {
        ...{ takePlace: () => null, givePlace: () => undefined, close: async () => undefined },
        call: () => Promise.reject(new Error('This engine has no threads.')),
      },
      spread: parts.spread
        ? new SpreadOffers({ store: store.spread, spread: parts.spread, clock: parts.leaseClock ?? systemClock, log: log.logger })
        : null,
    },
    definitionOf,
  );
  const known = new Map((parts.flows ?? []).map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
  const findFlow = async (name: string) => {
    const definition = known.get(name);
    if (!definition) throw new Error(`The test names no flow ${name}.`);
    return definition;
  };
  const options = {
    store,
    engine,
    log,
    captureConsole: false,
    findDefinition: ({ flow }: { readonly flow: string }) => findFlow(flow),
    findFlow,
    openBroker: () => Promise.reject(new Error('This client has no broker.')),
  };
  return { client: new LocalClient(options), engine, store };
}
