/** Words for where a task is executed, and in how many places. */
import { byteSize } from '../base/byte-size.ts';

/** As in a stored flow: an older version knows less. */
interface Isolation {
  readonly isolate: string | null;
  readonly memoryBytes: number | null;
  readonly profile: boolean;
  readonly slots: number;
}

/**
 * `own process`, `at most 512 MiB`, `CPU profile`, `takes 4 places`; none for a task in its run's thread, without a profile, in one place.
 */
export function isolationWords({ isolate, memoryBytes, profile, slots }: Isolation): readonly string[] {
  return [
    ...(isolate === null ? [] : [`own ${isolate}`]),
    ...(memoryBytes === null ? [] : [`at most ${byteSize(memoryBytes).replace('.0 ', ' ')}`]),
    ...(profile ? ['CPU profile'] : []),
    ...(slots === 1 ? [] : [`takes ${slots} places`]),
  ];
}
