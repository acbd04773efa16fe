/** Turns a batch of the recorder into the parameters of its one statement. */
import type { Batch } from '../batch.ts';
import { ownerTextOf } from '../ownership.ts';
import { artifactValues, logValues, newRunValues, patchValues, taskRunValues, transitionValues } from '../rows.ts';
import type { Value } from '../rows.ts';
import { flushText, parts } from './flush-text.ts';
import type { Part } from './flush-text.ts';
import { storable } from '../storable.ts';

/** A statement ready to be sent; the server keeps it prepared under its name. */
export interface FlushStatement {
  readonly name: string;
  readonly text: string;
  /** One JSON text per part; writer and number of the batch are put before them. */
  readonly values: readonly string[];
}

const texts = new Map<string, string>();

/** The statement that writes the batch. Made once per batch: sending it again must send the same. */
export function flushStatement(batch: Batch): FlushStatement {
  const rows = rowsOf(batch);
  const present = parts.filter((part) => rows[part].length > 0);
  const ofOne = batch.claims.size === 1 && batch.newRuns.size === 0;
  const name = `flush_${parts.map((part) => (present.includes(part) ? '1' : '0')).join('')}${ofOne ? '_of_one' : ''}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = flushText(present, ofOne);
    texts.set(name, text);
  }
  return { name, text, values: present.map((part) => storable(JSON.stringify(rows[part]))) };
}

function rowsOf(batch: Batch): Record<Part, unknown[]> {
  const results: Value[][] = [];
  const taskRuns: Value[][] = [];
  for (const { claim, row } of batch.taskRuns.values()) {
    const values = taskRunValues(row);
    values.push(claim.epoch);
    taskRuns.push(values);
    if (row.resultRef !== null) results.push([row.runId, row.resultRef, row.id, null, row.endedAt ?? row.startedAt ?? 0, claim.epoch]);
  }
  const patches: unknown[] = [];
  for (const { claim, row } of batch.patches.values()) {
    patches.push([claim.runId, claim.epoch, Object.fromEntries(patchValues(row))]);
    if (typeof row.resultRef === 'string') results.push([claim.runId, row.resultRef, null, null, row.endedAt ?? 0, claim.epoch]);
  }
  const runs: Value[][] = [];
  for (const { run, owner, leaseMs } of batch.newRuns.values()) {
    runs.push(newRunValues(run, owner, leaseMs));
    if (typeof run.resultRef === 'string') results.push([run.id, run.resultRef, null, null, run.endedAt ?? run.createdAt, 1]);
  }
  return {
    claims: [...batch.claims.values()].map((claim) => [claim.runId, claim.epoch, ownerTextOf(claim)]),
    runs,
    taskRuns,
    transitions: batch.transitions.map(({ claim, row }) => [...transitionValues(row), claim.epoch]),
    patches,
    results,
    logs: batch.logs.map(logValues),
    artifacts: batch.artifacts.map(({ claim, row }) => [...artifactValues(row), claim.epoch]),
  };
}
