/** Contract between the command line and the processes of the fleet, which are built from `worker/` and `scheduler/`. */
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Metrics } from '../monitor/open-metrics.ts';

export interface FleetProcessOptions {
  readonly config: Config;
  readonly log: Log;
  /** Base of relative paths of flows. */
  readonly cwd: string;
  /** Metrics of the surrounding program, which serves them; default its own, if a port is set for them. */
  readonly metrics?: Metrics;
}

export interface WorkerOptions extends FleetProcessOptions {
  /** Served in this order when a place becomes free. */
  readonly queues: readonly string[];
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Name for people; default the host and the process id. */
  readonly name: string | undefined;
  /** Flows it executes; default those found by the settings. */
  readonly flows?: readonly FlowDefinition[];
  /** Whether the process is ended if its event loop was blocked for longer than its lease. Default true. */
  readonly mayEndProcess?: boolean;
}

/** A running process of the fleet. */
export interface FleetProcess {
  /** One line for people: what it is and what it serves. */
  readonly greeting: string;
  /** Takes no new work, lets running work finish for at most `deadlineMs`, hands back the rest. May be called twice. */
  stop(deadlineMs: number): Promise<void>;
}

/** A running worker that can be notified of changes. */
export interface WorkerProcess extends FleetProcess {
  /** Executes these flows from now on instead of the previous ones; running runs keep theirs. @throws BatutaError STORE_… */
  setFlows(flows: readonly FlowDefinition[]): Promise<void>;
  /** Serves these queues as well; already served ones are unaffected. */
  serveAlso(queues: readonly string[]): void;
}

/** What `worker/main.js` and `scheduler/main.js` export as `start`. */
export type StartWorker = (options: WorkerOptions) => Promise<WorkerProcess>;
export type StartScheduler = (options: FleetProcessOptions) => Promise<FleetProcess>;
