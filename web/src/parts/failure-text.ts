/** Why a run failed, in the sentence used everywhere. */
import { type Alike, type FailedRun, failureSentence } from '../../../src/model/failure-sentence.ts';
import { dateTimeText } from './format.ts';

/** In wire form, or decoded. */
interface TravelledAlike {
  readonly others: number;
  readonly sinceAt: string | number;
}

/** Null for a run that did not fail. `now` in epoch ms. */
export function failureText(run: FailedRun, alike: TravelledAlike | null | undefined, now: number): string | null {
  return failureSentence(run, { alike: readAlike(alike), time: (at) => dateTimeText(at, now) });
}

function readAlike(alike: TravelledAlike | null | undefined): Alike | null {
  if (alike === null || alike === undefined) return null;
  const { others, sinceAt } = alike;
  return { others, sinceAt: typeof sinceAt === 'number' ? sinceAt : Date.parse(sinceAt) };
}
