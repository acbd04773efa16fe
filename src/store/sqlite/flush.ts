/**
 * Writes a batch of the recorder into SQLite, within one turn of JavaScript: nothing else can come between.
 *
 * Values are bound to prepared statements. Measured against one JSON text per table, this is faster for thousands of rows and for one.
 */
import {
  transitionTable,
  replacedTaskRun,
  replacedWholeTaskRun,
  commonTaskRunTable,
  artifactValues,
  commonTaskRunValues,
  hasOnlyCommonValues,
  logValues,
  newRunValues,
  patchValues,
  taskRunValues,
  transitionValues,
  artifactTable,
  replacedArtifact,
  replacedResourceUse,
  resourceUseTable,
  resourceUseValues,
  logTable,
  resultTable,
  resultValues,
  runTable,
  taskRunTable,
} from '../tables.ts';
import type { RunPatch, TaskRun, Transition } from '../../model/run.ts';
import { claimKey, ownerTextOf } from '../ownership.ts';
import type { Batch, Claimed } from '../batch.ts';
import type { Value } from '../table.ts';
import type { Claim } from '../store.ts';
import type { PreparedNumbers, Statements, Prepared } from './statements.ts';

/** The statements of a flush. */
export class FlushWriter {
  readonly #statements: Statements;
  readonly #holderOf: PreparedNumbers;
  readonly #lastSeq: PreparedNumbers;
  readonly #runs: RowWriter;
  readonly #taskRuns: RowWriter;
  /** Every parameter costs; most task runs need only half of them. */
  readonly #commonTaskRuns: RowWriter;
  readonly #transitions: RowWriter;
  readonly #results: RowWriter;
  readonly #logs: RowWriter;
  readonly #artifacts: RowWriter;
  readonly #resourceUses: RowWriter;

  constructor(statements: Statements) {
    this.#statements = statements;
    const replacing = (set: string): string => `on conflict (run_id, key) do update set ${set}`;
    this.#holderOf = statements.prepareNumbers(
      'select epoch, owner is ?, (select max(seq) from transitions where run_id = runs.id) from runs where id = ?',
    );
    this.#lastSeq = statements.prepareNumbers('select max(seq) from transitions where run_id = ?');
    this.#runs = new RowWriter(statements, 'runs', runTable.columns, 'on conflict (id) do nothing');
    this.#taskRuns = new RowWriter(statements, 'task_runs', taskRunTable.columns, replacing(replacedWholeTaskRun));
    this.#commonTaskRuns = new RowWriter(statements, 'task_runs', commonTaskRunTable.columns, replacing(replacedTaskRun));
    this.#transitions = new RowWriter(statements, 'transitions', [...transitionTable.columns, 'seq']);
    this.#results = new RowWriter(statements, 'results', resultTable.columns, 'on conflict (run_id, key) do nothing');
    this.#logs = new RowWriter(statements, 'logs', logTable.columns);
    this.#artifacts = new RowWriter(statements, 'artifacts', artifactTable.columns, replacedArtifact);
    this.#resourceUses = new RowWriter(statements, 'resource_uses', resourceUseTable.columns, replacedResourceUse);
  }

  /** Writes all rows except of refused claims, which it returns. To be called inside a transaction. */
  write(batch: Batch, now: number): Claim[] {
    const newRuns = [...batch.newRuns.values()];
    this.#runs.write(newRuns.map(({ run, owner, leaseMs }) => newRunValues(run, owner, now + leaseMs)));
    const results: Value[][] = [];
    for (const { run } of newRuns) if (typeof run.resultRef === 'string') results.push(resultValues(run.id, run.resultRef, null, now));
    const { refused, lastSeqs } = this.#checkClaims(batch);
    const isHeld = ({ claim }: { readonly claim: Claim }): boolean => refused.size === 0 || !refused.has(claimKey(claim));
    const taskRuns = [...batch.taskRuns.values()].filter(isHeld).map(({ row }) => row);
    this.#writeTaskRuns(taskRuns);
    for (const { runId, resultRef, id } of taskRuns) if (resultRef !== null) results.push(resultValues(runId, resultRef, id, now));
    this.#writeTransitions(batch.transitions.filter(isHeld), lastSeqs);
    const patches = [...batch.patches.values()].filter(isHeld);
    this.#writePatches(patches);
    for (const { claim, row } of patches)
      if (typeof row.resultRef === 'string') results.push(resultValues(claim.runId, row.resultRef, null, now));
    if (batch.artifacts.size > 0) {
      const artifacts = [...batch.artifacts.values()].filter(isHeld).map(({ row }) => row);
      this.#artifacts.write(artifacts.map(artifactValues));
      for (const { runId, taskRunId, ref } of artifacts) if (ref) results.push(resultValues(runId, ref, taskRunId, now));
    }
    this.#results.write(results);
    if (batch.resourceUses.size > 0)
      this.#resourceUses.write([...batch.resourceUses.values()].filter(isHeld).map(({ row }) => resourceUseValues(row)));
    this.#logs.write(batch.logs.map(logValues));
    return [...refused.values()];
  }

  /** The claims that no longer hold, by claim key, and the number of the last transition of each run. */
  #checkClaims(batch: Batch): { refused: Map<string, Claim>; lastSeqs: Map<string, number> } {
    const refused = new Map<string, Claim>();
    const lastSeqs = new Map<string, number>();
    for (const [key, claim] of batch.claims) {
      const [epoch, isOwner, lastSeq] = this.#holderOf.first([ownerTextOf(claim), claim.runId]) ?? [];
      if (epoch !== claim.epoch || (claim.owner && isOwner !== 1)) refused.set(key, claim);
      lastSeqs.set(claim.runId, lastSeq ?? 0);
    }
    return { refused, lastSeqs };
  }

  /** Split into stretches of consecutive rows, which are numbered in order. */
  #writeTaskRuns(taskRuns: readonly TaskRun[]): void {
    for (let from = 0, to = 0; from < taskRuns.length; from = to) {
      const isCommon = hasOnlyCommonValues(taskRuns[from] as TaskRun);
      for (to = from + 1; to < taskRuns.length && hasOnlyCommonValues(taskRuns[to] as TaskRun) === isCommon; to++);
      const rows = taskRuns.slice(from, to);
      if (isCommon) this.#commonTaskRuns.write(rows.map(commonTaskRunValues));
      else this.#taskRuns.write(rows.map(taskRunValues));
    }
  }

  #writeTransitions(transitions: readonly Claimed<Transition>[], lastSeqs: Map<string, number>): void {
    const rows = transitions.map(({ row }) => {
      const seq = (lastSeqs.get(row.runId) ?? this.#lastSeq.first([row.runId])?.[0] ?? 0) + 1;
      lastSeqs.set(row.runId, seq);
      const values = transitionValues(row);
      values.push(seq);
      return values;
    });
    this.#transitions.write(rows);
  }

  #writePatches(patches: readonly Claimed<RunPatch>[]): void {
    for (const { claim, row } of patches) {
      const pairs = patchValues(row);
      if (pairs.length === 0) continue;
      const columns = pairs.map(([column]) => `${column} = ?`);
      const values = pairs.map(([, value]) => value);
      this.#statements
        .prepare(`update runs set ${columns.join(', ')} where id = ? and epoch = ?`)
        .run([...values, claim.runId, claim.epoch]);
    }
  }
}

/** Rows per statement; more gain nothing. */
const rowsAtOnce = 50;

export class RowWriter {
  readonly #statements: Statements;
  readonly #head: string;
  readonly #row: string;
  readonly #tail: string;
  #one: Prepared | null = null;
  #many: Prepared | null = null;

  /** @param tail what follows the rows in the statement */
  constructor(statements: Statements, table: string, columns: readonly string[], tail = '') {
    this.#statements = statements;
    this.#head = `insert into ${table} (${columns.join(', ')}) values `;
    this.#row = `(${columns.map(() => '?').join(', ')})`;
    this.#tail = tail;
  }

  /** Writes rows in their order; the values of each in the order of the columns. */
  write(rows: readonly (readonly Value[])[]): void {
    let at = 0;
    for (; at + rowsAtOnce <= rows.length; at += rowsAtOnce) {
      this.#many ??= this.#prepare(rowsAtOnce);
      this.#many.run(rows.slice(at, at + rowsAtOnce).flat());
    }
    for (; at < rows.length; at++) {
      this.#one ??= this.#prepare(1);
      this.#one.run(rows[at] ?? []);
    }
  }

  #prepare(rows: number): Prepared {
    return this.#statements.prepare(`${this.#head}${Array.from({ length: rows }, () => this.#row).join(', ')} ${this.#tail}`);
  }
}
