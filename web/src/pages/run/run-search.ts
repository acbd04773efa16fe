/** The part of the run page's state in its address. */
import { one, oneOf, type RawSearch } from '../../search.ts';

export const runTabs = ['graph', 'timeline', 'logs', 'tasks', 'values', 'artifacts', 'streams', 'rejects', 'history'] as const;
export type RunTab = (typeof runTabs)[number];

export const tabNames: Readonly<Record<RunTab, string>> = {
  graph: 'Graph',
  timeline: 'Timeline',
  logs: 'Logs',
  tasks: 'Tasks',
  values: 'Inputs & result',
  artifacts: 'Artifacts',
  streams: 'Streams',
  rejects: 'Rejects',
  history: 'History',
};

/** Tabs with only content an observer may not see. */
export const payloadTabs: ReadonlySet<RunTab> = new Set(['logs', 'artifacts', 'streams', 'rejects']);

export interface RunSearch {
  readonly tab: RunTab;
  /** The selected task: its name, or the id of a task run. */
  readonly task: string | undefined;
  /** The stream whose values are listed. */
  readonly stream: string | undefined;
  /** Of the log: task, lowest level, text, and the linked line. */
  readonly level: string | undefined;
  readonly search: string | undefined;
  readonly line: number | undefined;
  /** Of the list of tasks. */
  readonly state: string | undefined;
}

/** Reads an address; invalid values are left out. */
export function readRunSearch(raw: RawSearch): RunSearch {
  const line = Number(one(raw, 'line'));
  return {
    tab: oneOf(raw, 'tab', runTabs) ?? 'graph',
    task: one(raw, 'task'),
    stream: one(raw, 'stream'),
    level: one(raw, 'level'),
    search: one(raw, 'search'),
    line: Number.isSafeInteger(line) && line > 0 ? line : undefined,
    state: one(raw, 'state'),
  };
}
