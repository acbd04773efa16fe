/** Runs pinned to a version of their flow, and who may continue them. */

/** One version of a flow. */
export interface FlowVersion {
  readonly flow: string;
  readonly version: string;
}

/** What a run is pinned to. */
export interface RunPin extends FlowVersion {
  readonly runId: string;
  /**
   * What a worker must have to have that version: the version itself; for a sub-flow whose class came with its caller's file, that of the
   * caller's flow.
   */
  readonly host: FlowVersion;
  /** When the run began, UTC epoch ms. */
  readonly at: number;
}

/** Whom a ticket is for: workers that know the flow or, for a pinned run, can continue it. */
export type FlowWish = { readonly flow: string; readonly version?: never } | Pick<RunPin, 'flow' | 'version' | 'host'>;

/** Whether a process with these flow versions can continue such a run. */
export function hasVersion(
  flows: Readonly<Record<string, string>>,
  { flow, version, host }: Pick<RunPin, 'flow' | 'version' | 'host'>,
): boolean {
  return isOf(flows, { flow, version }) || isOf(flows, host);
}

/**
 * `Waits for a worker that has version 3f2a of the flow weather, to which it is pinned.` @param waiting id of the waiting run; null: a task
 * of the pinned run waits
 */
export function pinnedText({ flow, version, runId }: RunPin, waiting: string | null): string {
  const what = waiting === null ? 'its run' : runId === waiting ? 'it' : `its sub-flow run ${runId}`;
  return `Waits for a worker that has version ${version} of the flow ${flow}, to which ${what} is pinned.`;
}

function isOf(flows: Readonly<Record<string, string>>, { flow, version }: FlowVersion): boolean {
  return Object.hasOwn(flows, flow) && flows[flow] === version;
}
