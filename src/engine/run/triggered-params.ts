/**
 * Parameters of runs that triggers make. The scheduler that makes such a run has no flows, so the worker that begins it validates them
 * against the schema, records the result, and fails the run if they do not fit.
 */
import type { FlowDefinition } from '../../model/flow.ts';
import type { Run } from '../../model/run.ts';
import { runScope } from '../../model/run-context.ts';
import { withSensitivePaths } from '../../model/sensitive.ts';
import { submittedIn, withSubmitted, withoutSubmitted } from '../../model/submitted.ts';
import { decodeValue, encodeValue } from '../values/results.ts';
import { sensitiveParams } from '../submit/json-schema.ts';
import { validateParams } from '../submit/params.ts';
import { scopeBefore } from './flow-scope.ts';
import type { FailedVerdict } from './run-end.ts';
import type { RunRecord } from './transition.ts';
import type { OwnedRunOptions } from './owned-run-options.ts';

const mark = '"unchecked":true';

/** Whether the parameters have not been validated yet. */
export function isUnchecked({ deployment, params }: Pick<Run, 'deployment' | 'params'>): boolean {
  return deployment !== null && params.includes(mark) && submittedIn(params).trigger?.unchecked === true;
}

/** Records the schema's output; returns the run's failure if they do not fit. @throws BatutaError STORE_… */
export async function checkTriggered(
  { services: { store, log }, definition }: Pick<OwnedRunOptions, 'services' | 'definition'>,
  record: RunRecord,
): Promise<FailedVerdict | null> {
  let params: string;
  try {
    const { run } = record;
    params = await runScope.run(scopeBefore(log, definition, run), () => checkedParams(definition, run.params));
  } catch (error) {
    return { kind: 'error', error, task: null, isFinal: true };
  }
  await store.runs.setParams(record.claim, params);
  record.noteParams(params);
  return null;
}

/** The recorded text of valid parameters. @throws BatutaError PARAMS_INVALID, RESULT_NOT_SERIALIZABLE */
async function checkedParams(definition: FlowDefinition, text: string): Promise<string> {
  const { trigger, ...submitted } = submittedIn(text);
  const value = await validateParams(definition, decodeValue(withoutSubmitted(text)));
  const sensitive = sensitiveParams(definition.params);
  const encoded = withSensitivePaths(encodeValue(value, `parameters of flow ${definition.name}`) ?? 'null', sensitive);
  const { unchecked: _, ...checked } = trigger ?? {};
  return withSubmitted(encoded, { ...submitted, ...(trigger ? { trigger: checked as typeof trigger } : {}) }, sensitive);
}
