/** Long work in slices of time. */
import { type Clock, letOthersIn, systemClock } from './clock.ts';

/** Longest turn of work in slices, ms. */
const sliceMs = 15;
/** Items between two looks at the clock. */
const itemsPerLook = 64;

/** Does it for each, in order and in slices of time: lets others in whenever a turn has taken long. @throws what `act` throws */
export async function inSlices<T>(
  items: Iterable<T>,
  act: (item: T, at: number) => void,
  clock: Pick<Clock, 'monotonic'> = systemClock,
): Promise<void> {
  let at = 0;
  let since = clock.monotonic();
  for (const item of items) {
    act(item, at++);
    if (at % itemsPerLook !== 0 || clock.monotonic() - since < sliceMs) continue;
    await letOthersIn();
    since = clock.monotonic();
  }
}
