/**
 * What the body of a code flow waits for people to decide. The wait is its own task run, as for a signal, and the decision arrives by a
 * signal that only the inbox sends; the inbox item records who decided, and settles which came first, a person or the timeout.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isLongerThan } from '../../base/cut-text.ts';
import { type Duration, formatDuration, parseDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import { hidesValues } from '../../base/hidden-values.ts';
import type { DecisionOptions, DecisionRequest } from '../../model/decision.ts';
import { failureOf } from '../../model/failure.ts';
import { decisionName, type InboxItem } from '../../model/inbox.ts';
import type { TaskRun } from '../../model/run.ts';
import { checkSignalName } from '../../model/signal.ts';
import { stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { jsonSchemaOf, readMarked } from '../submit/json-schema.ts';
import { outcomeOf, recordedError, valueOf } from '../task/outcome.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';
import { decodeValue, encodeValue } from '../values/results.ts';
import { isDropped } from './dropped.ts';
import { beginWait, drop, nextSignal, occurrenceOf, type Waiter } from './waits.ts';

const maxTitleChars = 200;
const maxDescriptionChars = 10_000;
/** Default lifetime of links, ms. */
const linkMs = 7 * 86_400_000;

/** The answer if a flow specifies no schema: yes or no, and why. */
const approvalSchema = {
  type: 'object',
  properties: { approved: { type: 'boolean', title: 'Approved' }, comment: { type: 'string', title: 'Comment' } },
  required: ['approved'],
  additionalProperties: false,
} as const;

/**
 * Asks people and returns their decision.
 *
 * @throws BatutaError OPTION_INVALID, NAME_INVALID, DURATION_INVALID, WAIT_TIMED_OUT, what `notify` throws, and why the run was stopped
 */
export async function waitForDecision(waiter: Waiter, name: string, options: DecisionOptions): Promise<unknown> {
  const { active } = waiter;
  checkSignalName(name);
  const { title, description, schema } = checkedOptions(name, options);
  const timeoutMs = options.timeout === undefined ? null : parseDuration(options.timeout);
  const why = `Waiting for a decision: ${title}${timeoutMs === null ? '' : ` (for ${formatDuration(timeoutMs)})`}.`;
  const row = beginWait(waiter, decisionName(name), [], timeoutMs, why);
  if (row.state.type !== 'PAUSED') return valueOf(await outcomeOf(active, row));
  const number = occurrenceOf(row.key);
  const awaited = { runId: active.run.id, name: decisionName(name), number };
  const { store, clock } = active.services;
  const item = await active.activity.work(async () => {
    const asked = { id: active.services.makeId(), runId: active.run.id, name, number, title, description, schema };
    // The instant at which the wait began, kept across crashes: the same wait asks the same, with the same links.
    await store.inbox.ask(active.record.claim, { ...asked, createdAt: row.startedAt ?? clock.now(), dueAt: row.dueAt });
    return await store.inbox.asked(active.run.id, name, number);
  });
  // As work, so that the run is not suspended midway.
  if (item && options.notify) await active.activity.work(async () => options.notify?.(requestOf(active, item)));
  for (;;) {
    const signal = await active.activity.work(() =>
      active.activity.wait({ dueAt: row.dueAt, why, isRetry: false, signal: awaited }, () => nextSignal(waiter, awaited, row.dueAt)),
    );
    if (active.stopReason) throw active.stopReason;
    if (isDropped(active)) return drop(active, row);
    if (signal === null) {
      if (await store.inbox.expire(active.record.claim, name, number, clock.now()))
        return endUndecided(active, row, options, title, timeoutMs);
      continue;
    }
    const answer = await checkAnswer(options.schema, decodeValue(signal.data ?? '{"json":null}'));
    if ('problem' in answer) {
      await store.inbox.refuse(active.record.claim, name, number, answer.problem);
      continue;
    }
    return await complete(active, row, answer.value, name);
  }
}

async function endUndecided(
  active: RunAttempt,
  row: TaskRun,
  options: DecisionOptions,
  title: string,
  timeoutMs: number | null,
): Promise<unknown> {
  if ('onTimeout' in options && options.onTimeout !== undefined) return await complete(active, row, options.onTimeout, row.name);
  const error = new BatutaError('WAIT_TIMED_OUT', `Nobody has decided within ${formatDuration(timeoutMs ?? 0)}: ${title}.`, {
    details: { decision: row.name, timeoutMs },
  });
  const failure = failureOf(error);
  await active.record.endTask('PAUSED', row, stateOf('FAILED', 'TimedOut', error.message), { error: failure });
  throw recordedError(failure, error);
}

async function complete(active: RunAttempt, row: TaskRun, value: unknown, name: string): Promise<unknown> {
  const text = encodeValue(value, `decision ${name}`);
  if (hidesValues()) refuseSecrets(text, `decision ${name}`);
  const ended: TaskRun = { ...row, state: stateOf('COMPLETED'), result: text };
  await active.record.endTask('PAUSED', ended, ended.state);
  return valueOf(await outcomeOf(active, ended));
}

/** The schema's output for the answer, or why it refuses it. */
async function checkAnswer(
  schema: StandardSchemaV1 | undefined,
  answer: unknown,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  if (schema === undefined) return { value: answer };
  try {
    const outcome = await schema['~standard'].validate(readMarked(schema, answer) ?? answer);
    if (outcome.issues === undefined) return { value: outcome.value };
    return { problem: outcome.issues.map(({ message }) => message).join('; ') };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function requestOf({ services }: RunAttempt, item: InboxItem): DecisionRequest {
  const { id, title, createdAt, dueAt } = item;
  const addresses = (): NonNullable<typeof services.decisionAddresses> => {
    if (services.decisionAddresses) return services.decisionAddresses;
    throw new BatutaError('SECRET_KEY_MISSING', 'This process has no server whose addresses it could give: it has no settings.');
  };
  return {
    id,
    title,
    dueAt,
    get url() {
      return addresses().pageOf(id);
    },
    link(value, { for: person = null, expires }: { readonly for?: string | null; readonly expires?: Duration } = {}) {
      const until = createdAt + (expires === undefined ? linkMs : parseDuration(expires));
      const expiresAt = dueAt === null ? until : Math.min(until, dueAt);
      return addresses().linkTo({
        itemId: id,
        value: encodeValue(value, `link of ${item.name}`) ?? '{"json":null}',
        for: person,
        expiresAt,
      });
    },
  };
}

function checkedOptions(name: string, { title, description, schema }: DecisionOptions) {
  const refuse = (why: string): BatutaError =>
    new BatutaError('OPTION_INVALID', `ctx.waitFor('${name}'): ${why}`, { details: { decision: name } });
  if (typeof title !== 'string' || title.trim() === '' || isLongerThan(title, maxTitleChars) || /\p{Cc}/u.test(title))
    throw refuse(`title must be one line of 1 to ${maxTitleChars} characters.`);
  if (description !== undefined && (typeof description !== 'string' || isLongerThan(description, maxDescriptionChars)))
    throw refuse(`description must be a text of at most ${maxDescriptionChars} characters.`);
  const json = schema === undefined ? approvalSchema : jsonSchemaOf(schema);
  if (json !== null && json['type'] !== 'object') throw refuse('schema must be that of an object, whose fields make the form.');
  return { title: title.trim(), description: description ?? null, schema: json };
}
