/** Deployments: a flow bound to parameters, schedules and rules, under a name. Plain data; times are UTC epoch ms. */
import type { Rate } from './rate.ts';
import type { Schedule } from './schedule/schedule.ts';

/** Which missed ticks are made up: none, the latest, or all within the window. */
export const catchupPolicies = ['none', 'latest', 'all'] as const;
export type Catchup = (typeof catchupPolicies)[number];

/** What a tick does while an earlier run of its deployment is unfinished. */
export const overlapPolicies = ['allow', 'skip', 'buffer-one', 'buffer-all', 'cancel-running'] as const;
export type Overlap = (typeof overlapPolicies)[number];

/** What a run does when its limit is used up: wait, be dropped, or replace those running. */
export const conflictPolicies = ['queue', 'skip', 'cancel-running'] as const;
export type OnConflict = (typeof conflictPolicies)[number];

/** How many runs may run at the same time. */
export interface Concurrency {
  /** Runs at the same time, from 1; per key if there is one. */
  readonly limit: number;
  /** Template over the parameters, like `{customer}`; null: one limit for all. */
  readonly key: string | null;
  readonly onConflict: OnConflict;
}

/** Where a deployment was declared: by a command, or in the configuration file (`--prune` only removes those). */
export type DeploymentOrigin = 'command' | 'config' | 'code';

export interface Deployment {
  readonly id: string;
  /** Unique; by default that of its flow. */
  readonly name: string;
  readonly flow: string;
  readonly flowVersion: string;
  /** Where to load the class from: `file#exportName`, else null. */
  readonly source: string | null;
  /** From 1; raised by every deploy that changes something. */
  readonly version: number;
  readonly description: string | null;
  /** Validated parameters, superjson text. */
  readonly params: string;
  /** Those of the flow come first. */
  readonly tags: readonly string[];
  readonly queue: string;
  readonly priority: number;
  readonly concurrency: Concurrency | null;
  /** How many of its runs may begin in a window; missing if unlimited. */
  readonly rateLimit?: Rate | null;
  /** Template of the key by which its runs take turns; missing: no turns. */
  readonly fairness?: string;
  /** How many of a worker's places each of its runs takes; missing: as its flow says. */
  readonly slots?: number;
  readonly catchup: Catchup;
  /** Older missed ticks are not made up, ms. */
  readonly catchupWindowMs: number;
  readonly overlap: Overlap;
  /** How long ended runs are kept, ms; null: as the settings say. */
  readonly retentionMs: number | null;
  /** Template of the names of its runs; null: two random words. */
  readonly runName: string | null;
  /** When it was paused by hand; null if not paused. A deploy keeps it. */
  readonly pausedAt: number | null;
  readonly origin: DeploymentOrigin;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a run inherits from its deployment, besides parameters, queue and priority. */
export type DeploymentOfRun = Pick<Deployment, 'name' | 'tags' | 'runName' | 'concurrency' | 'rateLimit' | 'slots' | 'fairness'>;

/** One schedule of a deployment. */
export interface DeploymentSchedule {
  readonly id: string;
  readonly deployment: string;
  /** Unique in its deployment, and stable across deploys, e.g. `nightly`, `cron-1`. */
  readonly slug: string;
  readonly schedule: Schedule;
  /** Validated parameters of its runs, superjson text; null: those of the deployment. */
  readonly params: string | null;
  /** Each run starts up to this much after its tick, ms; 0: on the tick. */
  readonly jitterMs: number;
  readonly pausedAt: number | null;
  /** First tick without a run; null once the schedule has ended. */
  readonly nextTickAt: number | null;
  readonly createdAt: number;
  /** Why it was set aside: its ticks cannot become runs. It ticks again once deployed or resumed. Missing otherwise. */
  readonly fault?: string;
}

/** A version of a deployment, kept for comparison. */
export interface DeploymentVersion {
  readonly deployment: string;
  readonly version: number;
  readonly flowVersion: string;
  readonly at: number;
  /** Graph of the flow at that time, plain JSON as in the stored flow. */
  readonly graph: unknown;
  /** The deployment and its schedules as declared, plain JSON. */
  readonly spec: unknown;
}

/** Runs of a deployment for ticks in the past. */
export interface Backfill {
  readonly id: string;
  readonly deployment: string;
  /** Slug of the schedule whose ticks it covers. */
  readonly schedule: string;
  /** First and, exclusively, last instant. */
  readonly fromAt: number;
  readonly untilAt: number;
  readonly order: 'oldest' | 'newest';
  readonly maxParallel: number;
  /** How many ticks; over 10,000 an estimate, until all their runs are created. */
  readonly total: number;
  readonly createdAt: number;
  readonly cancelRequestedAt: number | null;
  readonly endedAt: number | null;
}

/** Channel that notifies schedulers of changed deployments; the message is a name, or empty. */
export const deploymentsChannel = 'deployments';

/** Channel that tells schedulers that a backfill may continue: it was begun, cancelled or resumed, or one of its runs ended. */
export const backfillsChannel = 'backfills';
