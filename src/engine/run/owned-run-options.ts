/** What an owned run is made of. */
import type { EngineListener } from '../../model/events.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { FlowVersion } from '../../model/pin.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import type { Claim } from '../../store/store.ts';
import type { StartSubFlow } from '../code/sub-flow.ts';
import type { Leases } from '../lease/leases.ts';
import type { EngineServices } from '../services.ts';
import type { Activity } from '../waiting/activity.ts';

export interface OwnedRunOptions {
  readonly services: EngineServices;
  readonly leases: Leases<Claim>;
  readonly subFlows: StartSubFlow;
  readonly definition: FlowDefinition;
  readonly run: Run;
  readonly claim: Claim;
  /** What earlier owners recorded, by key. */
  readonly taskRuns: ReadonlyMap<string, TaskRun>;
  readonly listener: EngineListener | null;
  /** Of the run that this one is a sub-flow of, else null. */
  readonly parentActivity: Activity | null;
  /** With the file of which flow its class came, of a sub-flow; default its own. */
  readonly host?: FlowVersion | null;
  /** Monotonic instant at which it was asked for; default now. */
  readonly heldSince?: number | undefined;
  /** Whether it has the slot of its limit, or needs none. */
  readonly hasSlot: boolean;
}
