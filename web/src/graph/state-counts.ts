/** Many states as one: the state of a mapped task or a group, and the parts of its bar. Pure. */
import { stateNames, type StateName, type StateType } from '../../../src/model/state.ts';

/** Number of task runs per state. */
export type StateCounts = Readonly<Partial<Record<StateName, number>>>;

const typeOfName = new Map<string, StateType>();
for (const [type, names] of Object.entries(stateNames)) {
  for (const name of names) if (!typeOfName.has(name)) typeOfName.set(name, type as StateType);
}

/** The type of a state name. `Skipped` has two; the first, COMPLETED, is returned. Unknown names count as PENDING. */
export function typeOfState(name: string): StateType {
  return typeOfName.get(name) ?? 'PENDING';
}

const ended: ReadonlySet<StateType> = new Set(['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED']);

/** Whether a state of this name is terminal. */
export function isEnd(name: string): boolean {
  return ended.has(typeOfState(name));
}

/** Running states first, then waiting ones. */
const openNames: readonly StateName[] = [
  'Running',
  'Retrying',
  'Cancelling',
  'Suspended',
  'AwaitingRetry',
  'AwaitingSlot',
  'Resuming',
  'Late',
  'Scheduled',
  'Pending',
];
/** Worst first. */
const failedNames: readonly StateName[] = ['Crashed', 'Failed', 'TimedOut', 'UpstreamFailed', 'Cancelled', 'Expired', 'RolledBack'];
const doneNames: readonly StateName[] = ['Completed', 'Cached', 'Skipped'];

/** A bar fills from the done part. */
const barOrder = [...doneNames, ...failedNames, ...openNames];

/** The pieces of the bar in order, without empty ones. */
export function barOf(counts: StateCounts): readonly { readonly state: StateName; readonly count: number }[] {
  return barOrder.flatMap((state) => {
    const count = counts[state] ?? 0;
    return count > 0 ? [{ state, count }] : [];
  });
}

export function totalOf(counts: StateCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function endedOf(counts: StateCounts): number {
  return Object.entries(counts).reduce((sum, [name, count]) => sum + (isEnd(name) ? count : 0), 0);
}

/** Running if anything runs; then waiting; then the worst end. */
const nameOrder = [...openNames, ...failedNames, ...doneNames];

/** The overall state; null if nothing is counted. */
export function stateOfAll(counts: StateCounts): StateName | null {
  return nameOrder.find((name) => (counts[name] ?? 0) > 0) ?? null;
}

/** Counts of several, added up. */
export function addCounts(all: Iterable<StateCounts>): StateCounts {
  const sum: Partial<Record<StateName, number>> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sum[name as StateName] = (sum[name as StateName] ?? 0) + count;
  return sum;
}
