/** A room that tasks enter and stay in: who is inside, in which order they came, and how many there were at a time. */
import { gate } from './make-flow.ts';

export interface Room {
  /** Everybody who came, in that order. */
  readonly order: readonly string[];
  /** How many were inside at the same time at most. */
  most(): number;
  /** How many are inside now. */
  count(): number;
  /** Resolves once whoever enters is let out. */
  enter(who: string): Promise<void>;
  /** Waits for somebody, and lets out who has been there longest; gives their name. */
  letOut(): Promise<string>;
}

export function makeRoom(): Room {
  const inside: { readonly who: string; readonly leave: () => void }[] = [];
  const order: string[] = [];
  let most = 0;
  let arrived = gate();
  return {
    order,
    most: () => most,
    count: () => inside.length,
    async enter(who) {
      const { opened, open: leave } = gate();
      inside.push({ who, leave });
      order.push(who);
      most = Math.max(most, inside.length);
      arrived.open();
      await opened;
    },
    async letOut() {
      while (inside.length === 0) {
        await arrived.opened;
        arrived = gate();
      }
      const first = inside.shift();
      first?.leave();
      return first?.who ?? '';
    },
  };
}

/** Looks every few milliseconds until it is so. */
export async function until(look: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 5));
}
