/** Contract of what is stored of deployments: their rows, schedules and versions. Times are UTC epoch ms. */
import type { Deployment, DeploymentSchedule, DeploymentVersion } from '../../model/deployment.ts';
import type { Run } from '../../model/run.ts';
import type { Trigger } from '../../model/triggers/trigger.ts';
import type { Page } from '../lists/contract.ts';

/** A deployment with its schedules and triggers. */
export interface StoredDeployment extends Deployment {
  /** In the order of their slugs. */
  readonly schedules: readonly DeploymentSchedule[];
  /** In the order of their slugs; missing when it has none. */
  readonly triggers?: readonly Trigger[];
}

/** A deployment as it shall be from now on, and the version that is kept of it. */
export interface DeploymentPut {
  /**
   * `version` is that of the stored one plus 1; 1 for one that shall be new. What is stored keeps its `id`, `pausedAt` and `createdAt`,
   * whatever these say here.
   */
  readonly deployment: Deployment;
  /**
   * All it shall have; others of it are deleted. One whose slug is stored already keeps `id`, `pausedAt` and `createdAt`, and
   * `nextTickAt` too unless its rule has changed.
   */
  readonly schedules: readonly DeploymentSchedule[];
  /** All it shall have, default none. One whose slug and rule are stored already goes on as it is; of another, what it waited for is dropped. */
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
  /** Those that are older than this version. */
  readonly before?: number;
}

export interface DeploymentStore {
  /**
   * One transaction for all, however many: puts deployments with their schedules and versions, and deletes those of `removals`. Gives
   * false, and has written nothing, when one of them is not at the version before: someone else has deployed or deleted it meanwhile.
   */
  put(puts: readonly DeploymentPut[], removals?: readonly Pick<Deployment, 'name' | 'version'>[]): Promise<boolean>;
  get(name: string): Promise<StoredDeployment | null>;
  /** Those of these names that there are, by name. */
  getMany(names: readonly string[]): Promise<readonly StoredDeployment[]>;
  /** By name. @throws BatutaError FILTER_INVALID */
  list(filter?: DeploymentFilter): Promise<Page<StoredDeployment>>;
  /** By name, all; with `origin` only those of it. */
  names(origin?: Deployment['origin']): Promise<readonly Pick<Deployment, 'name' | 'version'>[]>;
  /** Newest first; those before a version, 1,000 at most. */
  versions(name: string, page?: VersionPage): Promise<readonly DeploymentVersion[]>;
  /** The present version of each of these names that there are. */
  presentVersions(names: readonly string[]): Promise<readonly DeploymentVersion[]>;
  /** The newest run of each of these deployments that has one, by its name. */
  lastRuns(names: readonly string[]): Promise<ReadonlyMap<string, LastRun>>;
  /**
   * One transaction: pauses the deployment, or one schedule of it; its schedules are no longer due. What is paused already stays as it
   * was. False when there is no such deployment or schedule.
   */
  pause(name: string, slug: string | null, at: number): Promise<boolean>;
  /**
   * One transaction: resumes it; its triggers begin with what occurs from now on. Schedules that were not due because of the pause tick next after `now`: nothing is made up. False when
   * there is no such deployment or schedule.
   */
  resume(name: string, slug: string | null, now: number): Promise<boolean>;
  /** One transaction: deletes it with its schedules and versions; its runs stay. False when there is none. */
  delete(name: string): Promise<boolean>;
  /** Schedules that are not paused, nor their deployments, by `nextTickAt` and then id, soonest first; after a place of such a list. */
  due(options: {
    readonly deployment?: string;
    readonly after?: Pick<DeploymentSchedule, 'nextTickAt' | 'id'>;
    readonly limit: number;
  }): Promise<readonly DeploymentSchedule[]>;
}
