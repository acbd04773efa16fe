/** Turns a batch of the recorder into the parameters of its one statement. */
import { flushText, listedKinds, parts, type Part } from './flush-text.ts';
import {
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
  resourceUseTable,
  resourceUseValues,
  resultTable,
  resultValues,
  taskRunTable,
  transitionTable,
} from '../tables.ts';
import type { Batch } from '../batch.ts';
import { ownerTextOf } from '../ownership.ts';
import type { Value } from '../table.ts';
import type { Claim } from '../store.ts';
import { jsonText, storableValue } from '../storable.ts';

/** A statement ready to be sent; there are few texts, which the server keeps prepared. */
export interface FlushStatement {
  readonly text: string;
  /** What follows writer, number of the batch and time. */
  readonly values: readonly Value[];
  /** Whether it assumes that its task runs are new; refused with a unique violation if they are not. */
  readonly isTrusting: boolean;
}

/** The one claim under which all of a batch is written, and the owner of all its transitions. */
interface Only {
  readonly claim: Claim;
  readonly owner: string | null;
}

const texts = new Map<string, string>();

/**
 * The statement that writes the batch. Made once per batch: sending it again must send the same.
 *
 * @param trusts whether to assume that task runs are new if the batch says so; default true
 */
export function flushStatement(batch: Batch, trusts = true): FlushStatement {
  const only = onlyOf(batch);
  const quick = trusts && only !== null ? quickRowsOf(batch) : null;
  const rows = rowsOf(batch, only !== null, quick);
  const present = parts.filter((part) => rows[part].length > 0);
  const name = `flush_${parts.map((part) => (present.includes(part) ? '1' : '0')).join('')}${only === null ? '' : '_of_one'}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = flushText(present, only !== null);
    texts.set(name, text);
  }
  const fixed = only === null ? [] : [only.claim.runId, only.claim.epoch, ownerTextOf(only.claim), storableValue(only.owner)];
  const values = [...fixed, ...present.map((part) => jsonText(rows[part]))];
  return { text, values, isTrusting: quick !== null };
}

function onlyOf({ claims, newRuns, transitions }: Batch): Only | null {
  const [claim] = claims.values();
  if (claim === undefined || claims.size > 1 || newRuns.size > 0) return null;
  const owner = transitions[0]?.row.owner ?? null;
  return transitions.every(({ row }) => row.owner === owner) ? { claim, owner } : null;
}

/**
 * Rows of `quickKinds`, if all task runs of the batch are new and begin and complete in it: most of what a chain or a fan-out of short
 * tasks writes. Null if any of them needs more.
 */
function quickRowsOf({ taskRuns, transitions }: Batch): Value[][] | null {
  if (transitions.length === 0 || transitions.length !== taskRuns.size * 2) return null;
  const rows: Value[][] = [];
  for (const { row, isNew, firstMove: begun, lastMove: ended, moves } of taskRuns.values()) {
    if (!isNew || moves !== 2 || begun === null || ended === null) return null;
    if (begun.name !== 'Running' || begun.attempt !== 1 || begun.message !== null) return null;
    if (ended.name !== 'Completed' || ended.attempt !== 1 || row.state.name !== 'Completed' || !hasOnlyCommonValues(row)) return null;
    rows.push([row.id, row.key, row.name, row.index, row.startedAt, row.endedAt, row.itemHash, row.result, begun.at, ended.at]);
  }
  return rows;
}

/** Positions, in the table, of the columns listed by a batch of one claim. */
const listedPlaces = {
  taskRuns: placesOf(taskRunTable),
  commonTaskRuns: placesOf(commonTaskRunTable),
  transitions: placesOf(transitionTable),
  results: placesOf(resultTable),
  artifacts: placesOf(artifactTable),
  resourceUses: placesOf(resourceUseTable),
};

function placesOf(table: Parameters<typeof listedKinds>[0]): number[] {
  return Object.keys(listedKinds(table, true)).map((column) => table.columns.indexOf(column));
}

function rowsOf(batch: Batch, ofOne: boolean, quick: Value[][] | null): Record<Part, unknown[]> {
  const listed = (part: keyof typeof listedPlaces, values: Value[], claim: Claim): Value[] => {
    if (ofOne) return listedPlaces[part].map((place) => values[place] as Value);
    values.push(claim.epoch);
    return values;
  };
  const results: Value[][] = [];
  const addResult = (claim: Claim, ref: string, taskRunId: string | null, at: number): void =>
    void results.push(listed('results', resultValues(claim.runId, ref, taskRunId, at), claim));
  const taskRuns = quick ? [] : [...batch.taskRuns.values()];
  for (const { claim, row } of taskRuns)
    if (row.resultRef !== null) addResult(claim, row.resultRef, row.id, row.endedAt ?? row.startedAt ?? 0);
  const patches: unknown[] = [];
  for (const { claim, row } of batch.patches.values()) {
    patches.push([claim.runId, claim.epoch, Object.fromEntries(patchValues(row))]);
    if (typeof row.resultRef === 'string') addResult(claim, row.resultRef, null, row.endedAt ?? 0);
  }
  const runs: Value[][] = [];
  for (const { run, owner, leaseMs } of batch.newRuns.values()) {
    runs.push(newRunValues(run, owner, leaseMs));
    if (typeof run.resultRef === 'string') addResult({ runId: run.id, epoch: 1 }, run.resultRef, null, run.endedAt ?? run.createdAt);
  }
  const artifacts = [...batch.artifacts.values()];
  for (const { claim, row } of artifacts) if (row.ref) addResult(claim, row.ref, row.taskRunId, row.createdAt);
  // Split by row, they would not be numbered in the order they arrived.
  const common = taskRuns.every(({ row }) => hasOnlyCommonValues(row));
  return {
    claims: ofOne ? [] : [...batch.claims.values()].map((claim) => [claim.runId, claim.epoch, ownerTextOf(claim)]),
    runs,
    taskRuns: common ? [] : taskRuns.map(({ claim, row }) => listed('taskRuns', taskRunValues(row), claim)),
    commonTaskRuns: common ? taskRuns.map(({ claim, row }) => listed('commonTaskRuns', commonTaskRunValues(row), claim)) : [],
    quickTaskRuns: quick ?? [],
    transitions: quick ? [] : batch.transitions.map(({ claim, row }) => listed('transitions', transitionValues(row), claim)),
    patches,
    results,
    logs: batch.logs.map(logValues),
    artifacts: artifacts.map(({ claim, row }) => listed('artifacts', artifactValues(row), claim)),
    resourceUses: [...batch.resourceUses.values()].map(({ claim, row }) => listed('resourceUses', resourceUseValues(row), claim)),
  };
}
