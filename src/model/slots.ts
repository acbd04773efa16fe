/** How many places of a worker a heavy run or spread task takes at once. */

/** The most that may be asked for; also the most places a worker may have. */
export const maxSlots = 10_000;

/** As the row of a run has it: null for one place. */
export function severalOf(slots: number): number | null {
  return slots === 1 ? null : slots;
}

/** What a run or spread task needs that no worker at work has. @param most places of the largest that knows its flow */
export function tooHeavyText(slots: number, queue: string, most: number): string {
  return `Needs ${slots} places of a worker at once; the largest at work in queue ${queue} that knows its flow has ${most}.`;
}
