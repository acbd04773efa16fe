/** A run under way as the run sees it that called it. */
import type { Run } from '../../model/run.ts';
import { isHandedOn } from '../run/active-run.ts';
import type { FlowRun } from '../run/run-flow.ts';
import type { SubFlowRun } from './sub-flow.ts';

/** The sub-flow that this run is. */
export function subFlowRun({ flowRun, ended }: { readonly flowRun: FlowRun; readonly ended: Promise<Run> }): SubFlowRun {
  return {
    runId: flowRun.run.id,
    ended,
    parking: flowRun.parking,
    outcome: flowRun,
    stop(reason, force) {
      if (isHandedOn(reason)) flowRun.abandon(reason);
      else flowRun.cancel(reason.message);
      if (force) flowRun.force();
    },
  };
}
