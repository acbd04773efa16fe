/** Long work in slices of time. */
import { type Clock, letOthersIn, systemClock } from './clock.ts';

/** Longest turn of sliced work, ms. */
const sliceMs = 15;
/** Items between checks of the clock. */
const itemsPerLook = 64;

/** Does it for each, in order and in slices of time: yields when a turn has taken long. @throws what `act` throws */
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
