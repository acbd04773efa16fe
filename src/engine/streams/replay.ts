/** What a run gets in place of the records of its sources: those that another run has rejected. */
import { deadLettersOf, type DeadLetter } from '../../model/dead-letters.ts';
import type { Artifact } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** The records to give again, by the name of the task that rejected them. */
export type Replay = ReadonlyMap<string, readonly DeadLetter[]>;

/** The replay that a run was submitted with, else null. @throws BatutaError STORE_… */
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
