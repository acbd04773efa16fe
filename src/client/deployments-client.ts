/** Contract of deployments and backfills. Times are UTC epoch ms. */
import type { ConfigDeployment } from '../base/config-file.ts';
import type { Duration } from '../base/duration.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { Backfill, DeploymentOrigin, DeploymentVersion } from '../model/deployment.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { StateName } from '../model/state.ts';
import type { ScheduleInput } from '../model/schedule/schedule.ts';
import type { DeploymentFilter, LastRun, Page, StoredDeployment, VersionPage } from '../store/store.ts';
import type { TriggerFiring, TriggerWait } from '../model/triggers/trigger.ts';
import type { EnqueueOptions, RunHandle } from './handle.ts';

export type { DeploymentFilter, LastRun };
export type { TriggerParts, TriggerSpec } from './declared-triggers.ts';

/** One schedule as a user writes it: exactly one of `cron`, `interval` and `rrule`. */
export interface ScheduleSpec extends ScheduleInput {
  /** Stable name in the deployment; default its kind, numbered from the second of a kind on (`cron`, `cron-2`). */
  readonly slug?: string;
  /** Laid over the deployment's parameters. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Each run starts at most this much after its tick. Default 0. */
  readonly jitter?: Duration;
  /** Default false. On an existing schedule, a manual pause or resume stays. */
  readonly paused?: boolean;
}

/** A deployment as a user writes it. */
export interface DeploymentSpec extends Omit<ConfigDeployment, 'flow' | 'schedules'> {
  readonly flow: string | FlowClass | FlowDefinition;
  readonly schedules?: readonly ScheduleSpec[];
}

/** A deployment with its schedules and triggers, in the order of their slugs, and its newest run. */
export interface DeploymentView extends StoredDeployment {
  readonly lastRun: LastRun | null;
}

/** One field that a deploy changes; values as shown to people, null for none. */
export interface DeployChange {
  /** For example `queue`, `schedule nightly`, `schedule nightly timezone`. */
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** How the graph of the flow differs from the previous version's. */
export interface GraphChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Tasks whose needs changed. */
  readonly rewired: readonly { readonly task: string; readonly before: readonly string[]; readonly after: readonly string[] }[];
}

/** What a deploy did, or with `dryRun` would do. */
/** Unfinished runs of a flow that began with a version other than the deployed one, counted by name of their state. */
export interface TouchedRuns {
  /** Those that continue with the deployed version. */
  readonly continuing: Readonly<Partial<Record<StateName, number>>>;
  /** Those pinned to the version they began with. */
  readonly pinned: Readonly<Partial<Record<StateName, number>>>;
}

export interface DeployReport {
  readonly outcome: 'created' | 'changed' | 'unchanged' | 'deleted';
  readonly deployment: DeploymentView;
  readonly changes: readonly DeployChange[];
  /** Null if the graph is the same, or there was none before. */
  readonly graph: GraphChange | null;
  /** Of its flow, whichever deployment made them; null if there are none, or nothing has changed. */
  readonly touched: TouchedRuns | null;
}

/** What the triggers of a deployment wait for and have done. */
export interface TriggersView {
  /** Open windows and debounces, soonest first. */
  readonly waits: readonly TriggerWait[];
  /** Newest first. */
  readonly firings: readonly TriggerFiring[];
}

/** A future tick. */
export interface UpcomingTick {
  readonly deployment: string;
  /** Slug of the schedule. */
  readonly schedule: string;
  readonly at: number;
}

export interface DeploymentsClient {
  /**
   * Creates or changes deployments, all or none.
   *
   * @throws BatutaError FLOW_NOT_FOUND, PARAMS_INVALID, SCHEDULE_INVALID, TRIGGER_INVALID, TRIGGER_CYCLE, NAME_INVALID, OPTION_INVALID,
   *   OPTION_UNKNOWN, DURATION_INVALID
   */
  deploy(
    specs: readonly DeploymentSpec[],
    options?: {
      readonly origin?: DeploymentOrigin;
      /** Reports only. */
      readonly dryRun?: boolean;
      /** Deletes deployments of origin `config` that are not among the specs. */
      readonly prune?: boolean;
    },
  ): Promise<readonly DeployReport[]>;
  /** By name. */
  list(filter?: DeploymentFilter): Promise<Page<DeploymentView>>;
  /** @throws BatutaError DEPLOYMENT_NOT_FOUND, naming the nearest. */
  get(name: string): Promise<DeploymentView>;
  /** Newest first; each has the graph of its flow. @throws BatutaError DEPLOYMENT_NOT_FOUND */
  versions(name: string, page?: VersionPage): Promise<readonly DeploymentVersion[]>;
  /** A run now; the parameters are laid over the deployment's. @throws PARAMS_INVALID, DEPLOYMENT_NOT_FOUND */
  run(name: string, params?: Readonly<Record<string, unknown>>, options?: EnqueueOptions): Promise<RunHandle>;
  /** Pauses it, or one of its schedules: its ticks make no runs. Idempotent. */
  pause(name: string, schedule?: string): Promise<DeploymentView>;
  /** Ticks missed while paused are not made up. */
  resume(name: string, schedule?: string): Promise<DeploymentView>;
  /** What its triggers wait for, and their newest firings. `limit` 1 to 1000, default 20. @throws BatutaError DEPLOYMENT_NOT_FOUND */
  triggers(name: string, options?: { readonly limit?: number }): Promise<TriggersView>;
  /** Its schedules and triggers go; its runs stay. */
  delete(name: string): Promise<void>;
  /** The next ticks of all unpaused deployments or one, soonest first. `limit` 1 to 1000, default 10. */
  upcoming(options?: { readonly deployment?: string; readonly limit?: number }): Promise<readonly UpcomingTick[]>;
}

export interface BackfillSpec {
  readonly deployment: string;
  /** Slug; default: the deployment's only one. */
  readonly schedule?: string;
  /** Ticks from this instant on. */
  readonly fromAt: number;
  /** Ticks before this instant. */
  readonly untilAt: number;
  /** Default 1. */
  readonly maxParallel?: number;
  /** Default `oldest`. */
  readonly order?: Backfill['order'];
}

/** A backfill with its progress, in runs. */
export interface BackfillView extends Backfill {
  /** Runs that wait for a worker, and runs not made yet. */
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** What a backfill would do. */
export interface BackfillPreview {
  /** How many runs. */
  readonly total: number;
  /** False if there are more than 10,000: then the total is estimated. */
  readonly exact: boolean;
  /** Its first and last ticks in order of time, at most 100 each. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

export interface BackfillsClient {
  /** @throws BatutaError as `start`, except BACKFILL_TOO_LARGE */
  preview(spec: BackfillSpec): Promise<BackfillPreview>;
  /** @throws BatutaError DEPLOYMENT_NOT_FOUND, OPTION_INVALID, BACKFILL_TOO_LARGE (over 10,000 runs without `allowLarge`) */
  start(spec: BackfillSpec, options?: { readonly allowLarge?: boolean }): Promise<BackfillView>;
  /** Newest first. */
  list(filter?: { readonly deployment?: string; readonly limit?: number; readonly cursor?: string }): Promise<Page<BackfillView>>;
  get(id: string): Promise<BackfillView>;
  /** Makes no further runs, and cancels those that have not ended. */
  cancel(id: string): Promise<BackfillView>;
  /** Re-runs those that failed, crashed or were cancelled, and continues with those that never began. */
  resume(id: string): Promise<BackfillView>;
}
