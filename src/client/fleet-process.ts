/** Contract between the command line and the processes of the fleet, which are built from `worker/` and `scheduler/`. */
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Metrics } from '../monitor/open-metrics.ts';

export interface FleetProcessOptions {
  readonly config: Config;
  readonly log: Log;
  /** Where relative paths of flows begin. */
  readonly cwd: string;
  /** Metrics of the program around it, which serves them; default its own, where a port is set for them. */
  readonly metrics?: Metrics;
}

export interface WorkerOptions extends FleetProcessOptions {
  /** Served in this order when a place becomes free. */
  readonly queues: readonly string[];
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Name for people; default the host and the process id. */
  readonly name: string | undefined;
  /** What it executes; default the flows that are found where the settings say. */
  readonly flows?: readonly FlowDefinition[];
  /** Whether the process is ended when its event loop has been held for longer than its lease. Default true. */
  readonly mayEndProcess?: boolean;
}

/** A process of the fleet at work. */
export interface FleetProcess {
  /** One line for people: what it is and what it serves. */
  readonly greeting: string;
  /** Takes nothing new, lets what is under way finish for at most `deadlineMs`, hands back the rest. May be called twice. */
  stop(deadlineMs: number): Promise<void>;
}

/** A worker at work, which can be told of what has changed. */
export interface WorkerProcess extends FleetProcess {
  /** Executes these flows from now on in place of those it knew; runs under way go on with theirs. @throws BatutaError STORE_… */
  setFlows(flows: readonly FlowDefinition[]): Promise<void>;
  /** Serves these queues as well; those it serves already are left as they are. */
  serveAlso(queues: readonly string[]): void;
}

/** What `worker/main.js` and `scheduler/main.js` export as `start`. */
export type StartWorker = (options: WorkerOptions) => Promise<WorkerProcess>;
export type StartScheduler = (options: FleetProcessOptions) => Promise<FleetProcess>;
