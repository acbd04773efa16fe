/** Where a reader of live events stands: numbers of the last change of a run and, when it follows one run, of its last task and log line. */

export interface EventPlace {
  readonly run: number;
  readonly task: number;
  readonly log: number;
}

/** The place as an event id. */
export function idOfPlace({ run, task, log }: EventPlace, ofOneRun: boolean): string {
  return ofOneRun ? `${run}-${task}-${log}` : String(run);
}

/** The place that an event id names; null when it is none of ours. */
export function placeOfId(id: string): EventPlace | null {
  const [, run, task = '0', log = '0'] = /^(\d{1,15})(?:-(\d{1,15})-(\d{1,15}))?$/.exec(id) ?? [];
  return run === undefined ? null : { run: Number(run), task: Number(task), log: Number(log) };
}
