/** What people are shown of where a task is executed. */
import { byteSize } from '../base/byte-size.ts';

/** As a stored flow has it: an older version knows less. */
interface Isolation {
  readonly isolate: string | null;
  readonly memoryBytes: number | null;
  readonly profile: boolean;
}

/** `own process`, `at most 512 MiB`, `CPU profile`; none for a task that runs in the thread of its run, without a profile. */
export function isolationWords({ isolate, memoryBytes, profile }: Isolation): readonly string[] {
  return [
    ...(isolate === null ? [] : [`own ${isolate}`]),
    ...(memoryBytes === null ? [] : [`at most ${byteSize(memoryBytes).replace('.0 ', ' ')}`]),
    ...(profile ? ['CPU profile'] : []),
  ];
}
