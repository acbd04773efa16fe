/** An engine's dependencies, put together once per process. */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { MakeId } from '../base/id.ts';
import type { DeploymentOfRun } from '../model/deployment.ts';
import type { FlowDefinition, Instantiate } from '../model/flow.ts';
import type { DecisionAddresses } from '../model/inbox.ts';
import type { Middleware } from '../model/middleware.ts';
import type { Owner } from '../model/run.ts';
import type { NamedValues } from '../model/secret.ts';
import type { Lifecycle } from '../observe/lifecycle.ts';
import type { RunTracer } from '../observe/tracer.ts';
import type { Fakes, ResourceScope } from '../resources/scope.ts';
import type { Store } from '../store/store.ts';
import type { CacheAccess } from './cache/cache-access.ts';
import type { Isolate } from './isolate/isolate.ts';
import type { CpuMeter } from './task/cpu-meter.ts';
import type { Limits } from './limits/limits.ts';
import type { ResultStorage } from './results/storage.ts';
import type { RunOutput, RunOutputSettings } from './run/run-output.ts';
import type { EmissionSettings, Emissions } from './emissions/emissions.ts';
import type { SpreadOffers } from './spread/spread-offers.ts';

/** Units are milliseconds. */
export interface EngineSettings extends RunOutputSettings, EmissionSettings {
  /** How long a claim lasts without renewal. Default 15,000. */
  readonly leaseMs: number;
  /** How often claims are renewed; less than `leaseMs`. Default 5,000. */
  readonly heartbeatMs: number;
  /** How often cancels requested by other processes are polled for. Default 250. */
  readonly cancelPollMs: number;
  /** How long tasks may take to settle after a cancel. Default 30,000. */
  readonly graceMs: number;
  /**
   * Whether a run whose lease could not be renewed is given up shortly before the lease ends, so that the next owner does not find this one
   * still running. Default false: where one process runs its own flows, continuing is worth more. Workers set it.
   */
  readonly abortUnrenewed: boolean;
  /**
   * A run that only waits, and for longer than this, is suspended: it is released, and continued by a scheduler or worker when it is due.
   * Default null: never, runs wait in place. Workers set it to 30,000.
   */
  readonly suspendOverMs: number | null;
  /** How often a run continues after its process was lost; then it is Crashed. Default 3. */
  readonly maxRecoveries: number;
  /** Whether this process executes only one run or spread task, so that it may have one on trial. Default false. */
  readonly isAlone: boolean;
}

export const defaultEngineSettings: EngineSettings = {
  leaseMs: 15_000,
  heartbeatMs: 5_000,
  cancelPollMs: 250,
  graceMs: 30_000,
  abortUnrenewed: false,
  suspendOverMs: null,
  maxRecoveries: 3,
  maxLogLineBytes: 64 * 1024,
  maxRunLogBytes: 256 * 1024 * 1024,
  maxArtifactBytes: 4 * 1024 * 1024,
  maxArtifactFileBytes: 2 * 1024 * 1024 * 1024,
  maxArtifactImageBytes: 20 * 1024 * 1024,
  maxChartPoints: 20_000,
  maxStreamValueBytes: 16 * 1024 * 1024,
  maxRunStreamsBytes: 256 * 1024 * 1024,
  isAlone: false,
};

export interface EngineServices {
  /** Wraps all runs and tasks that are executed here, outermost first. Default none. */
  readonly middleware?: readonly Middleware[];
  readonly store: Store;
  readonly results: ResultStorage;
  /** Time as flows see it: delays, timeouts, recorded instants. */
  readonly clock: Clock;
  /** Time for leases and polls; the system's even when a test controls `clock`. */
  readonly leaseClock: Clock;
  readonly log: Logger;
  /** Returns numbers in [0, 1). */
  readonly random: () => number;
  readonly makeId: MakeId;
  readonly owner: Owner;
  readonly isOwnerGone: (owner: Owner) => boolean;
  readonly settings: EngineSettings;
  /** Measures tasks that share the thread of this process; made by the engine. */
  readonly cpuMeter: CpuMeter;
  /** Runs tasks with `isolate`. */
  readonly isolate: Isolate;
  /** Has spread tasks executed by other workers; if missing, they run here. */
  readonly spread?: SpreadOffers | null;
  /** Makes traces; if missing, there are none. */
  readonly tracer?: RunTracer | null;
  /** Reads secrets, variables and connections; if missing, there are none. */
  readonly namedValues?: NamedValues | null;
  /** Makes the URLs by which people decide; if missing, there are none. */
  readonly decisionAddresses?: DecisionAddresses | null;
  /** Limits on runs and tasks; made by the engine. */
  readonly limits: Limits;
  /** Cached values of tasks, which save making them again; made by the engine. */
  readonly cache: CacheAccess;
  /** Bounds what is kept of log lines and artifacts; made by the engine. */
  readonly output: RunOutput;
  /** Records what runs emit; made by the engine. */
  readonly emissions: Emissions;
  /** Observes every step of runs and task runs; made by the engine. */
  readonly lifecycle: Lifecycle;
  /** Resources that stay open as long as the engine; made by it. */
  readonly resources: ResourceScope;
  /** Makes the instances of flows; default: their constructors. */
  readonly instantiate?: Instantiate | null;
  /** What is opened in place of resources, by their names; default nothing. */
  readonly fakes?: Fakes | null;
  /** Finds what code flows run by the name of a deployment; if missing, they can run none. */
  readonly findDeployed?: FindDeployed | null;
}

/** Those that the engine does not make itself. */
export type GivenServices = Omit<EngineServices, 'limits' | 'cpuMeter' | 'cache' | 'output' | 'emissions' | 'lifecycle' | 'resources'>;

/** A deployment that a code flow runs as part of itself. */
export interface DeployedFlow {
  readonly definition: FlowDefinition;
  /** The deployment's own, overridden by the given ones; not validated yet. */
  readonly params: unknown;
  readonly deployment: DeploymentOfRun;
}

/** @throws BatutaError DEPLOYMENT_NOT_FOUND, FLOW_NOT_FOUND, FILE_…, STORE_… */
export type FindDeployed = (name: string, params: unknown) => Promise<DeployedFlow>;
