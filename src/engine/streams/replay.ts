/** What a run is given in place of the records of its sources: the records that another has rejected. */
import { deadLettersOf, type DeadLetter } from '../../model/dead-letters.ts';
import type { Artifact } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** By the name of the task that had rejected them, the records that it is given again. */
export type Replay = ReadonlyMap<string, readonly DeadLetter[]>;

/** The replay of a run that was submitted with one, else null. @throws BatutaError STORE_… */
export async function readReplay({ submitted, services }: RunAttempt): Promise<Replay | null> {
  const { replayOf } = submitted;
  if (replayOf === undefined) return null;
  const artifacts: Artifact[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await services.store.artifacts.pageOfRun(replayOf, cursor === undefined ? {} : { cursor });
    artifacts.push(...page.items.filter(({ kind }) => kind === 'rejects'));
    if (page.next === null) break;
    cursor = page.next;
  }
  const replay = new Map<string, DeadLetter[]>();
  for (const letter of deadLettersOf(artifacts)) {
    const known = replay.get(letter.stage);
    if (known) known.push(letter);
    else replay.set(letter.stage, [letter]);
  }
  return replay;
}
