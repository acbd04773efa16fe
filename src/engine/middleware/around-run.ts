/** Middleware around the tasks or the body of a run. */
import { ContextValues, type Middleware } from '../../model/middleware.ts';
import { runScope } from '../../model/run-context.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import type { Verdict } from '../run/run-end.ts';
import { take } from '../values/given-value.ts';
import { contextOf } from './middleware-context.ts';
import { runMiddleware } from './run-middleware.ts';

/** Executes the run inside the middleware. `next` returns the flow's value. @throws what the middleware threw, or `body` */
export async function runAround(active: RunAttempt, chain: readonly Middleware[], body: () => Promise<Verdict>): Promise<Verdict> {
  const values = new ContextValues(null);
  active.contextValues = values;
  const ctx = contextOf(values, {
    run: active.facts,
    task: null,
    params: () => active.sharedParams(),
    signal: () => active.signal,
    log: () => active.log,
    addLogFields: (fields) => active.addLogFields(fields),
  });
  const came: { verdict: Verdict | null } = { verdict: null };
  const work = async (): Promise<unknown> => {
    const verdict = await body();
    came.verdict = verdict;
    if (verdict.kind === 'error') throw verdict.error;
    return verdict.kind === 'value' ? take(verdict.given) : undefined;
  };
  try {
    await runScope.run(active.scope(null, null), () => runMiddleware(chain, ctx, `flow ${active.definition.name}`, work));
  } catch (error) {
    if (came.verdict?.kind !== 'error') throw error;
    return { ...came.verdict, error };
  }
  if (came.verdict === null) throw new Error('The middleware gave a value before the run had one.');
  return came.verdict;
}
