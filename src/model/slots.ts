/** How many places of a worker a heavy run or spread task takes. */

/** Most places of a run or task; also the most a worker may have. */
export const maxSlots = 10_000;

/** As in the row of a run: null for one place. */
export function severalOf(slots: number): number | null {
  return slots === 1 ? null : slots;
}

/** Why a run or spread task fits no running worker. @param most places of the largest that knows its flow */
export function tooHeavyText(slots: number, queue: string, most: number): string {
  return `Needs ${slots} places of a worker at once; the largest running worker of queue ${queue} that knows its flow has ${most}.`;
}
