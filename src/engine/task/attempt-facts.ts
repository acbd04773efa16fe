/** Facts about an attempt of a task run: ids, names, parameters. */
import type { RunFacts, TaskFacts } from '../../model/context.ts';
import { idempotencyKeyOf } from '../../model/idempotency-key.ts';
import type { TaskRun } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import type { StartGate } from './start-gate.ts';

export abstract class AttemptFacts {
  readonly active: RunAttempt;
  /** The row as last recorded. */
  row: TaskRun;
  /** What its code waits for at the last moment; null: nothing. */
  gate: StartGate | null = null;
  #params: { readonly value: unknown } | null = null;

  constructor(active: RunAttempt, row: TaskRun) {
    this.active = active;
    this.row = row;
  }

  get runId(): string {
    return this.row.runId;
  }
  get taskRunId(): string {
    return this.row.id;
  }
  get flow(): string {
    return this.active.definition.name;
  }
  get task(): string {
    return this.row.name;
  }
  get attempt(): number {
    return this.row.attempt;
  }
  get traceparent(): string | null {
    return this.active.submitted.traceparent ?? null;
  }
  /** Its own copy; items of a mapped task share a frozen one. */
  get params(): unknown {
    this.#params ??= { value: this.row.index === null ? this.active.takeParams() : this.active.sharedParams() };
    return this.#params.value;
  }
  get runFacts(): RunFacts {
    return this.active.facts;
  }
  get taskFacts(): TaskFacts {
    const { id, name, attempt, index } = this.row;
    return { id, name, attempt, index };
  }
  /** How far its code had got, for the message about its failure: ` after …`, or nothing. */
  get reached(): string {
    return '';
  }
  get idempotencyKey(): string {
    return idempotencyKeyOf(this.row.runId, this.row.key, this.row.itemHash);
  }
}
