/** The call of a task with `transaction`: work, result and the record of both commit together in the user's database, once per task run. */
import { BatutaError } from '../base/errors.ts';
import type { AnyResource } from '../model/resource.ts';
import type { LiveTaskContext } from '../model/task-context.ts';
import { decodeValue, encodeValue } from '../model/values.ts';
import { driverOf, type TransactionDriver } from './driver.ts';
import type { EffectKey } from './effects-table.ts';
import { runOnce, untilAborted } from './run-once.ts';

/** The execution that does the work. */
export interface TransactionalCall {
  /** Name of the task. */
  readonly task: string;
  readonly effectKey: EffectKey;
  /** Whether it may have been executed before. */
  readonly mayBeRepeated: boolean;
  readonly context: LiveTaskContext;
  readonly signal: AbortSignal;
  useResource(resource: AnyResource, key: unknown): Promise<unknown>;
  /** From here on its end has to wait for the commit. A promise if another thread has to confirm it. */
  beginCommit(): Promise<void> | void;
  /** Reports that the result is that of an earlier execution. */
  tellEarlier(): void;
}

/**
 * The method's result, or that of an earlier execution. Resolves once it is committed, rejects once it is rolled back.
 *
 * @param work calls the method; awaited, and as a list if it is a generator
 * @throws what the work throws, the reason of the signal; BatutaError TRANSACTION_UNSUPPORTED, EFFECTS_UNAVAILABLE, EFFECT_NOT_RECORDED,
 *   RESULT_NOT_SERIALIZABLE, RESOURCE_…
 */
export async function callInTransaction(call: TransactionalCall, resource: AnyResource, work: () => Promise<unknown>): Promise<unknown> {
  const { task, effectKey, mayBeRepeated, context, signal } = call;
  const driver = driverFor(resource, await untilAborted(signal, call.useResource(resource, undefined)), task);
  let given: unknown;
  const { result, isEarlier } = await runOnce({
    driver,
    key: effectKey,
    mayBeRepeated,
    task,
    signal,
    onCommit: () => call.beginCommit(),
    async work(tx) {
      context.setTransaction(tx);
      given = await work();
      return encodeValue(given, `result of task ${effectKey.taskKey}`);
    },
  });
  if (!isEarlier) return given;
  call.tellEarlier();
  return decodeValue(result);
}

function driverFor({ name }: AnyResource, value: unknown, task: string): TransactionDriver<unknown> {
  const driver = driverOf(value);
  if (driver !== undefined) return driver;
  throw new BatutaError(
    'TRANSACTION_UNSUPPORTED',
    `Task ${task} wants a transaction of the resource '${name}', which is not a database with transactions: let it be a ready postgres, ` +
      `sqlite or mysql, or wrap what it gives, e.g. pgTransactions(pool).`,
    { details: { task, resource: name } },
  );
}
