import { describe, expect, it } from 'vitest';
import { QuakeWatch } from '../../../flows/code-flow.ts';
import { runHere } from './run-here.ts';

describe('code-flow', () => {
  it('calls a task as often as its loop goes round, and takes the branch that the data asks for', async () => {
    const { run, result, statesOf, artifact } = await runHere(QuakeWatch);
    expect(run.error).toBeNull();
    expect(result).toMatch(/^5 strong quakes, the strongest 6\.4 /);
    expect(statesOf('page')).toHaveLength(5);
    expect(statesOf('findStrong')).toHaveLength(5);
    expect(statesOf('countWeak')).toHaveLength(5);
    expect(statesOf('alert')).toEqual(['Completed']);
    expect(statesOf('allQuiet')).toEqual([]);
    expect(artifact('strong-quakes')).toHaveLength(5);
  });

  it('takes the other branch with other parameters', async () => {
    const { result, statesOf } = await runHere(QuakeWatch, { pageSize: 1_000, alertFrom: 9 });
    expect(result).toBe('All quiet: 1707 quakes, none of them strong.');
    expect(statesOf('page')).toHaveLength(2);
    expect(statesOf('alert')).toEqual([]);
    expect(statesOf('allQuiet')).toEqual(['Completed']);
  });
});
