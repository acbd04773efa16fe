/** Runs that lose their owner: it freezes where the code of the flow hangs, and another goes on from what is on record. */
import { join } from 'node:path';
import type { FlowClass } from 'batuta';
import type { RunHandle } from '../../src/client/client.ts';
import type { Run, TaskRun } from '../../src/model/run.ts';
import { gate } from './make-flow.ts';
import type { EngineParts, OpenEngine } from './open-engine.ts';
import { ownEngine, ownFolder } from './own-engine.ts';

/** What was executed, in order; a task writes its name here. Each run that is frozen begins it anew. */
export const ledger: string[] = [];

let reached = gate();

/** Called by the code of a flow at the point where its owner is to be lost. */
export const reach = (): void => reached.open();

/** An execution of the owner that is lost: it stays frozen at this point. */
export const hang = (): Promise<never> => {
  reach();
  return new Promise(() => undefined);
};

const mark = '---';
/** What the owner that was lost has executed. */
export const before = (): string[] => ledger.slice(0, ledger.indexOf(mark));
/** What the owner that took over has executed. */
export const after = (): string[] => ledger.slice(ledger.indexOf(mark) + 1);

export interface Frozen {
  readonly first: OpenEngine;
  readonly handle: RunHandle;
  /** Folder of large results, one folder a run. */
  readonly results: string;
  /** Another process over the same database and the same results. */
  openOther(parts: EngineParts): Promise<OpenEngine>;
}

/** Starts a run and waits until its owner has come to where its code hangs, with all of that on record. */
export async function freeze(flow: FlowClass, params: unknown = {}, settings: EngineParts['settings'] = {}): Promise<Frozen> {
  ledger.length = 0;
  reached = gate();
  const folder = ownFolder();
  const parts = { url: `sqlite:${join(folder, 'batuta.db')}`, results: join(folder, 'results') };
  const first = await ownEngine({ ...parts, settings, isOwnerGone: () => false });
  const handle = await first.client.submit(flow, params);
  await reached.opened;
  await first.store.recorder.flush();
  return { first, handle, results: parts.results, openOther: (other) => ownEngine({ ...parts, ...other }) };
}

export interface TakenOver {
  readonly second: OpenEngine;
  readonly handle: RunHandle;
  readonly run: Run;
  readonly rows: readonly TaskRun[];
  /** Null unless the run has completed. */
  readonly result: unknown;
  readonly results: string;
}

export interface TakeOverOptions {
  readonly params?: unknown;
  /** What happens while nobody executes the run. */
  readonly between?: (frozen: Frozen) => Promise<unknown>;
}

/** Freezes the owner of a run, and lets another owner, who has `later` for its code, take the run to its end. */
export async function takeOver(flow: FlowClass, later: FlowClass, options: TakeOverOptions = {}): Promise<TakenOver> {
  const frozen = await freeze(flow, options.params);
  await options.between?.(frozen);
  ledger.push(mark);
  const second = await frozen.openOther({ isOwnerGone: () => true, flows: [later] });
  const handle = await second.client.runs.resume(frozen.handle.id);
  const run = await handle.done();
  const result = run.state.type === 'COMPLETED' ? await handle.result() : null;
  const rows = await second.store.taskRuns.ofRun(run.id);
  return { second, handle, run, rows, result, results: frozen.results };
}
