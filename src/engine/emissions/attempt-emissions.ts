/**
 * The emissions of one attempt of a task, or of one execution of the body of a code flow. Made on first use.
 *
 * A task that runs again emits its values again, under its next attempt. The body of a code flow runs again after each crash and wait: the
 * id of its value is derived from its stream, its text and how often the body has emitted that, so that it is recorded once.
 */
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { letOthersIn, type Timer } from '../../base/clock.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { hidesValues } from '../../base/hidden-values.ts';
import { showBytes } from '../../base/setting-values.ts';
import { checkStreamName, emissionBytes, type EmissionKeeper } from '../../model/emission.ts';
import { hashedId } from '../../model/idempotency-key.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { issueMessage } from '../submit/issue-message.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';
import { encodeValue, isLarge } from '../values/results.ts';
import { hintFor } from '../../base/nearest.ts';

/** Of the task run, or of the run if the body emits it. */
export interface Emitter {
  readonly taskRunId: string | null;
  readonly attempt: number;
  /** Resolves once the attempt's beginning is durable: if its values were so before, another would have its number after a crash. */
  readonly recorded?: Promise<void> | null;
}

/** How long a schema may take for a value, ms. */
const maxCheckMs = 30_000;

export class AttemptEmissions implements EmissionKeeper {
  readonly #active: RunAttempt;
  readonly #emitter: Emitter;
  readonly #isOver: () => boolean;
  readonly #pending = new Set<Promise<void>>();
  /** The last value that takes time before it can be recorded: later ones wait for it. */
  #slow: Promise<unknown> | null = null;
  /** Whether a value was refused, which its emitter may not have awaited. */
  #hasRefused = false;
  #recorded: Promise<void> | null;
  /** How often the body has emitted the same on the same stream. */
  readonly #given = new Map<string, number>();

  /** @param isOver whether the attempt has ended, so that nothing more is taken */
  constructor(active: RunAttempt, emitter: Emitter, isOver: () => boolean) {
    this.#active = active;
    this.#emitter = emitter;
    this.#isOver = isOver;
    this.#recorded = emitter.recorded ?? null;
  }

  /**
   * Resolves once it is durable, or dropped because the attempt has ended. An unhandled error is an unhandled rejection in the code that
   * emitted the value, unless the run is being stopped.
   *
   * @throws BatutaError NAME_INVALID, STREAM_VALUE_INVALID, STREAM_VALUE_TOO_LARGE, STREAM_FULL, RESULT_NOT_SERIALIZABLE, SECRET_EXPOSED,
   * STORE_…
   */
  emit(stream: string, value: unknown): Promise<void> {
    if (this.#isOver()) return Promise.resolve();
    const emitted = this.#take(stream, value);
    this.#pending.add(emitted);
    const told: Promise<void> = emitted.then(
      () => void this.#pending.delete(emitted),
      (error: unknown) => {
        this.#pending.delete(emitted);
        this.#hasRefused = true;
        if (this.#active.stopReason !== null) told.catch(() => undefined);
        throw error;
      },
    );
    return told;
  }

  /** Resolves once everything emitted is recorded or refused, and Node.js has reported unhandled errors. Never rejects. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    if (this.#hasRefused) await letOthersIn();
    this.#hasRefused = false;
  }

  /** Everything up to the first await happens within the call, so that later changes to the value by the caller have no effect. */
  async #take(stream: string, value: unknown): Promise<void> {
    checkStreamName(stream);
    const { services } = this.#active;
    const at = services.clock.now();
    const checked = this.#check(stream, value);
    const before = this.#slow;
    const isSlow = checked instanceof Promise;
    const text = isSlow ? null : this.#textOf(stream, checked);
    const recorded = this.#whenRecorded();
    if (before === null && recorded === null && !isSlow && (text === null || !isLarge(text))) return this.#add(stream, at, text, null);
    const slow = (async () => {
      const late = isSlow ? this.#textOf(stream, await checked) : text;
      await recorded;
      const ref = late !== null && isLarge(late) ? await services.results.put(this.#keyOf(), late) : null;
      await before;
      return { late, ref };
    })();
    const passed = slow.catch(() => undefined);
    this.#slow = passed;
    const { late, ref } = await slow;
    // Before the next one continues: values waiting for this one come after it.
    const added = this.#add(stream, at, late, ref);
    if (this.#slow === passed) this.#slow = null;
    try {
      await added;
    } catch (error) {
      if (ref !== null && isBatutaError(error, 'STREAM_FULL')) await services.results.remove(ref).catch(() => undefined);
      throw error;
    }
  }

  /** The beginning of the attempt is awaited with its first value, and not held for its end any longer. */
  #whenRecorded(): Promise<void> | null {
    const recorded = this.#recorded;
    if (recorded === null) return null;
    this.#recorded = null;
    return Promise.all([recorded, this.#active.services.store.recorder.flush()]).then(() => undefined);
  }

  #add(stream: string, at: number, text: string | null, ref: string | null): Promise<void> {
    const { services, record, run } = this.#active;
    const { taskRunId, attempt } = this.#emitter;
    const bytes = emissionBytes + (text === null ? 0 : Buffer.byteLength(text));
    const id = taskRunId === null ? this.#idOf(stream, text) : null;
    const emission = { runId: run.id, stream, id, taskRunId, attempt, at, bytes, value: ref === null ? text : null, ref };
    return services.emissions.add({ claim: record.emissionClaim, emission });
  }

  /** The value as output by the flow's schema for the stream, if there is one. */
  #check(stream: string, value: unknown): unknown {
    const { emits, name } = this.#active.definition;
    if (!emits) return value;
    const schema = emits[stream];
    if (schema === undefined)
      throw new BatutaError('NAME_INVALID', `Flow ${name} emits no stream '${stream}'.${hintFor(stream, Object.keys(emits), 'It emits')}`, {
        details: { stream },
      });
    const result = schema['~standard'].validate(value);
    return result instanceof Promise ? this.#checkInTime(stream, result) : valid(stream, result);
  }

  /** The end of a task waits for its values, so no check may take forever. */
  async #checkInTime(stream: string, checking: Promise<StandardSchemaV1.Result<unknown>>): Promise<unknown> {
    let timer: Timer | null = null;
    const late = new Promise<never>((_, reject) => {
      timer = this.#active.services.leaseClock.setTimer(maxCheckMs, () =>
        reject(
          new BatutaError(
            'STREAM_VALUE_INVALID',
            `The schema of the stream '${stream}' has not answered for ${maxCheckMs / 1_000} seconds.`,
            { details: { stream } },
          ),
        ),
      );
    });
    try {
      return valid(stream, await Promise.race([checking, late]));
    } finally {
      (timer as Timer | null)?.cancel();
    }
  }

  #textOf(stream: string, value: unknown): string | null {
    const what = `value for the stream '${stream}'`;
    const text = encodeValue(value, what);
    if (text === null) return null;
    const { maxStreamValueBytes: maxBytes } = this.#active.services.emissions.settings;
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes)
      throw new BatutaError(
        'STREAM_VALUE_TOO_LARGE',
        `A value for the stream '${stream}' has ${bytes} bytes, and ${showBytes(maxBytes)} are allowed (BATUTA_MAX_STREAM_VALUE).`,
        { details: { stream, bytes, maxBytes } },
      );
    if (hidesValues()) refuseSecrets(text, what);
    return text;
  }

  #keyOf(): string {
    return `${this.#active.run.id}/emission-${this.#active.services.makeId()}`;
  }

  #idOf(stream: string, text: string | null): string {
    const what = JSON.stringify([stream, text === null ? null : hash('sha256', text, 'hex')]);
    const times = (this.#given.get(what) ?? 0) + 1;
    this.#given.set(what, times);
    return hashedId(JSON.stringify(['emission', this.#active.run.id, what, times]));
  }
}

function valid(stream: string, checked: StandardSchemaV1.Result<unknown>): unknown {
  if (!checked.issues) return checked.value;
  const issues = checked.issues.map((issue) => issueMessage(issue));
  throw new BatutaError('STREAM_VALUE_INVALID', `A value for the stream '${stream}' is not as its flow says: ${issues.join('; ')}`, {
    details: { stream, issues },
  });
}
