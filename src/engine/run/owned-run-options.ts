/** What an owned run is made from. */
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
  /** That of the run whose sub-flow this is, else null. */
  readonly parentActivity: Activity | null;
  /** The flow whose file a sub-flow's class came from; default its own. */
  readonly host?: FlowVersion | null;
  /** Monotonic instant at which it was requested; default now. */
  readonly heldSince?: number | undefined;
  /** Whether it has its limit's slot, or needs none. */
  readonly hasSlot: boolean;
}
