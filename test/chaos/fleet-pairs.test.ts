/** Two troubles at once for a fleet under load, drawn by the seed; see `survive.ts` for what must hold afterwards. */
import { describe, test } from 'vitest';
import { isLong, seed, timeoutMs } from '../support/chaos.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { survive } from '../support/survive.ts';
import { type Trouble, troubles } from '../support/troubles.ts';

const random = seededRandom(seed);

/** Two that can happen at the same time. */
function drawPair(): readonly [string, Trouble, Trouble] {
  for (;;) {
    const [first, second] = [troubles[Math.floor(random() * troubles.length)], troubles[Math.floor(random() * troubles.length)]];
    if (first && second && first.hits < second.hits) return [`${first.name}, and ${second.name}`, first, second];
  }
}

describe(`seed ${seed}`, () => {
  test.each(Array.from({ length: isLong ? 6 : 1 }, drawPair))(
    'two troubles at once (%s): no run is lost, nothing recorded is executed again',
    (_, first, second) => survive(first, second),
    timeoutMs,
  );
});
