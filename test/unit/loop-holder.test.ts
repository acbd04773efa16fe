import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type RunScope, runScope } from '../../src/model/run-context.ts';
import { expression } from '../../worker/loop-holder.ts';

const scope = { runId: 'run', taskRunId: 'task run', flow: 'order', task: 'pay' } as RunScope;
// As the debugger evaluates it.
const find = (): unknown => JSON.parse(String(runInThisContext(expression)));

test.each([
  ['the code of a task', scope],
  ['a span of the user’s', { traced: {}, around: scope }],
  [
    'a file that the code loads',
    { loading: { classes: new Set<never>(), onStop: () => undefined, onRead: () => undefined }, around: scope },
  ],
] as const)('who holds the loop is found inside of %s', (_name, within) => {
  expect(runScope.run(within, find)).toMatchObject({ id: 'run', runId: 'run', flow: 'order', task: 'pay' });
});

test('nobody holds it in a span outside of runs', () => {
  expect(runScope.run({ traced: {}, around: undefined }, find)).toBeNull();
});
