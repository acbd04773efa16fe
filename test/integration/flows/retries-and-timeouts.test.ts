import { describe, expect, it } from 'vitest';
import { RetriesAndTimeouts } from '../../../flows/retries-and-timeouts.ts';
import { runHere } from './run-here.ts';

describe('retries-and-timeouts', () => {
  it('retries what may pass, gives up on what stays wrong, and ends what takes too long, even a loop that listens to nothing', async () => {
    const { run, result, statesOf, attemptsOf } = await runHere(RetriesAndTimeouts);
    expect(run.error).toBeNull();
    expect(run.state.name).toBe('Completed');
    expect(result).toEqual({
      busy: 'answered at attempt 3',
      wrong: 'failed: the service answered 404',
      slow: expect.stringMatching(/^failed: .*200 ?ms/),
      endless: expect.stringMatching(/^failed: .*500 ?ms/),
    });
    expect([attemptsOf('busyService'), statesOf('busyService')]).toEqual([3, ['Completed']]);
    expect([attemptsOf('wrongAddress'), statesOf('wrongAddress')]).toEqual([1, ['Failed']]);
    expect([attemptsOf('slowAnswer'), statesOf('slowAnswer')]).toEqual([1, ['TimedOut']]);
    expect([attemptsOf('endlessLoop'), statesOf('endlessLoop')]).toEqual([1, ['TimedOut']]);
  });
});
