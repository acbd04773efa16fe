/**
 * The metrics of a process: counted as things happen, and completed by queries when they are read. Several parts of one process
 * (`batuta dev`, `serve`) share one.
 *
 * Owned by its opener. Each part that joins gets a function that ends its share.
 */
import { type Clock, settledWithin } from '../../base/clock.ts';
import { packageVersion } from '../../base/installed.ts';
import type { Broker, BrokerHealth } from '../../broker/broker.ts';
import type { Lifecycle } from '../../observe/lifecycle.ts';
import type { Store } from '../../store/store.ts';
import type { FleetReader } from '../fleet-figures.ts';
import { setFleetGauges } from './fleet.ts';
import { countRecorded } from './recorded.ts';
import { type ExposedFamily, MetricRegistry } from './registry.ts';

/** What metrics need to know of a part of the process. */
export interface MeasuredPart {
  readonly role: 'worker' | 'scheduler' | 'server';
  readonly lifecycle: Lifecycle;
  readonly store: Store;
  /** Carries its tickets; null: none, or none open. */
  readonly broker?: () => Promise<Broker> | null;
  /** Reads the fleet; provided by schedulers and servers. */
  readonly fleet?: FleetReader;
  /** Called before each reading. */
  readonly collect?: (registry: MetricRegistry) => void;
}

/** Longest wait for a broker, ms. */
const brokerPatienceMs = 1_000;
/** How long an answer of the broker is reused, ms. */
const brokerFreshMs = 5_000;

export interface Metrics {
  /** Measures a part from now on; returns a function that stops it. */
  join(part: MeasuredPart): () => void;
  /** All metrics in Prometheus text format. Never throws if the database or broker is down. */
  text(): Promise<string>;
  /** The same as data. */
  families(): Promise<readonly ExposedFamily[]>;
  /** Only those of Batuta and flows, for a file that the machine's collector reads. */
  ownText(): Promise<string>;
  /** Sends those to a push gateway. @throws Error if it is unreachable or refuses */
  push(url: string, groupings: Readonly<Record<string, string>>): Promise<void>;
  readonly contentType: string;
  readonly registry: MetricRegistry;
}

/** @param maxLabelValues distinct values of one label; further ones count as `other` */
export function makeMetrics(clock: Clock, maxLabelValues: number): Metrics {
  const registry = new MetricRegistry(maxLabelValues);
  const parts = new Set<MeasuredPart>();
  registry.set('batuta_build_info', 1, packageVersion(), process.versions.node);
  const complete = async (): Promise<MetricRegistry> => {
    const joined = [...parts];
    for (const { collect } of joined) collect?.(registry);
    setPools(registry, joined);
    await Promise.all([setFleet(registry, joined, clock), setBroker(registry, joined, clock)]);
    return registry;
  };
  return {
    registry,
    contentType: registry.contentType,
    join(part) {
      const { store, lifecycle } = part;
      registry.declare(part.role, ...(part.fleet ? (['fleet'] as const) : []), ...(store.poolUse() ? (['postgres'] as const) : []));
      parts.add(part);
      const end = countRecorded(registry, { lifecycle, recorder: store.recorder });
      return () => {
        parts.delete(part);
        end();
      };
    },
    text: async () => (await complete()).text(),
    families: async () => (await complete()).families(),
    ownText: async () => (await complete()).ownText(),
    push: async (url, groupings) => (await complete()).push(url, groupings),
  };
}

function setPools(registry: MetricRegistry, parts: readonly MeasuredPart[]): void {
  const pools = [...new Set(parts.map(({ store }) => store))].flatMap((store) => store.poolUse() ?? []);
  if (pools.length === 0) return;
  const sum = (of: (pool: (typeof pools)[number]) => number): number => pools.reduce((total, pool) => total + of(pool), 0);
  registry.set(
    'batuta_database_connections',
    sum(({ active }) => active),
    'active',
  );
  registry.set(
    'batuta_database_connections',
    sum(({ idle }) => idle),
    'idle',
  );
  registry.set(
    'batuta_database_connections_max',
    sum(({ most }) => most),
  );
  registry.set(
    'batuta_database_waiting',
    sum(({ waiting }) => waiting),
  );
}

async function setFleet(registry: MetricRegistry, parts: readonly MeasuredPart[], clock: Clock): Promise<void> {
  const reader = parts.find(({ fleet }) => fleet !== undefined)?.fleet;
  const figures = await reader?.read().catch(() => null);
  if (figures) setFleetGauges(registry, figures, clock.now());
}

const answers = new WeakMap<Broker, { readonly at: number; readonly health: Promise<BrokerHealth> }>();

async function setBroker(registry: MetricRegistry, parts: readonly MeasuredPart[], clock: Clock): Promise<void> {
  const opening = parts.map(({ broker }) => broker?.() ?? null).find((broker) => broker !== null);
  const broker = await opening?.catch(() => null);
  if (!broker) return;
  const last = answers.get(broker);
  const now = clock.now();
  const health = last !== undefined && now - last.at < brokerFreshMs ? last.health : broker.health();
  if (health !== last?.health) answers.set(broker, { at: now, health });
  const settled = await settledWithin(clock, brokerPatienceMs, health);
  const { ok, latencyMs } = settled ? await health.catch(() => down) : down;
  registry.set('batuta_broker_up', ok ? 1 : 0, broker.kind);
  if (latencyMs !== null) registry.set('batuta_broker_latency_seconds', latencyMs / 1_000, broker.kind);
}

const down: Pick<BrokerHealth, 'ok' | 'latencyMs'> = { ok: false, latencyMs: null };
