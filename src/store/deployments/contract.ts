/** Contract of what is stored of deployments: their rows, schedules and versions. Times are UTC epoch ms. */
import type { Deployment, DeploymentSchedule, DeploymentVersion } from '../../model/deployment.ts';
import type { Run } from '../../model/run.ts';
import type { Trigger } from '../../model/triggers/trigger.ts';
import type { Page } from '../lists/contract.ts';

/** A deployment with its schedules and triggers. */
export interface StoredDeployment extends Deployment {
  /** By slug. */
  readonly schedules: readonly DeploymentSchedule[];
  /** By slug; missing if it has none. */
  readonly triggers?: readonly Trigger[];
}

/** A deployment as it is to be from now on, and the version to keep of it. */
export interface DeploymentPut {
  /**
   * `version` is that of the stored one plus 1; 1 for a new one. The stored one keeps its `id`, `pausedAt` and `createdAt`, whatever these
   * say here.
   */
  readonly deployment: Deployment;
  /**
   * All of its schedules; others are deleted. One with a stored slug keeps `id`, `pausedAt` and `createdAt`, and `nextTickAt` unless its
   * rule has changed.
   */
  readonly schedules: readonly DeploymentSchedule[];
  /**
   * All of its triggers, default none. One with a stored slug and rule continues as it is; of a changed one, what it waited for is dropped.
   */
  readonly triggers?: readonly Trigger[];
  /** See `DeploymentVersion`. */
  readonly graph: unknown;
  readonly spec: unknown;
}

export interface DeploymentFilter {
  readonly flow?: string;
  readonly tag?: string;
  readonly paused?: boolean;
  /** Part of the name, any case. */
  readonly search?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** The newest run of a deployment, as far as lists show it. */
export interface LastRun extends Pick<Run, 'id' | 'name' | 'state' | 'scheduledFor' | 'createdAt' | 'startedAt' | 'endedAt'> {}

/** Which versions of a deployment; default all, up to 1,000. */
export interface VersionPage {
  readonly limit?: number;
  /** Versions older than this. */
  readonly before?: number;
}

export interface DeploymentStore {
  /**
   * One transaction for all, however many: puts deployments with their schedules and versions, and deletes `removals`. False, and nothing
   * is written, if one of them is not at the version before: someone else has deployed or deleted it meanwhile.
   */
  put(puts: readonly DeploymentPut[], removals?: readonly Pick<Deployment, 'name' | 'version'>[]): Promise<boolean>;
  get(name: string): Promise<StoredDeployment | null>;
  /** Existing ones of these names, by name. */
  getMany(names: readonly string[]): Promise<readonly StoredDeployment[]>;
  /** By name. @throws BatutaError FILTER_INVALID */
  list(filter?: DeploymentFilter): Promise<Page<StoredDeployment>>;
  /** By name, all; with `origin` only of that origin. */
  names(origin?: Deployment['origin']): Promise<readonly Pick<Deployment, 'name' | 'version'>[]>;
  /** Newest first; those before a version, at most 1,000. */
  versions(name: string, page?: VersionPage): Promise<readonly DeploymentVersion[]>;
  /** The present version of each of these names that exists. */
  presentVersions(names: readonly string[]): Promise<readonly DeploymentVersion[]>;
  /** The newest run, if any, of each of these deployments, by its name. */
  lastRuns(names: readonly string[]): Promise<ReadonlyMap<string, LastRun>>;
  /**
   * One transaction: pauses the deployment, or one schedule of it; its schedules are no longer due. What is already paused stays as it was.
   * False if there is no such deployment or schedule.
   */
  pause(name: string, slug: string | null, at: number): Promise<boolean>;
  /**
   * One transaction: resumes it; its triggers begin with what occurs from now on. Schedules held back by the pause next tick after `now`:
   * missed ticks are not made up. False if there is no such deployment or schedule.
   */
  resume(name: string, slug: string | null, now: number): Promise<boolean>;
  /** One transaction: deletes it with its schedules and versions; its runs stay. False if there is none. */
  delete(name: string): Promise<boolean>;
  /** Schedules that are not paused, nor their deployments, by `nextTickAt` and then id, soonest first; after a place in that order. */
  due(options: {
    readonly deployment?: string;
    readonly after?: Pick<DeploymentSchedule, 'nextTickAt' | 'id'>;
    readonly limit: number;
  }): Promise<readonly DeploymentSchedule[]>;
}
