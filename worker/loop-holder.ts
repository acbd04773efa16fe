/** Finds what holds the process's event loop, from another thread: the debugger interrupts even an endless loop. */
import { Session } from 'node:inspector/promises';
import { systemClock } from '../src/base/clock.ts';

/** The code that holds the event loop. */
export interface Holder {
  /** Of the run, or of the spread task run. */
  readonly id: string;
  readonly runId: string;
  readonly flow: string;
  readonly task: string | null;
  /** File, line and column, as far as known. */
  readonly place: string | null;
}

/** How long to wait for the interrupt; a blocking system call ignores it. */
const patienceMs = 2_000;

/** Evaluated where the loop was interrupted: the scope is that of the running code, its stack source-mapped. See `currentScope`. */
export const expression = `(() => {
  const found = globalThis[Symbol.for('batuta.runScope')]?.getStore();
  const scope = found && 'around' in found ? found.around : found;
  if (!scope) return null;
  const id = scope.active?.isSpread ? scope.taskRunId : scope.runId;
  return JSON.stringify({ id, runId: scope.runId, flow: scope.flow, task: scope.task, stack: String(new Error('held').stack) });
})()`;

/** Null if unknown, or not of a run. The interrupted code continues. */
export async function findHolder(): Promise<Holder | null> {
  const session = new Session();
  session.connectToMainThread();
  try {
    return await Promise.race([interrupt(session), systemClock.sleep(patienceMs).then(() => null)]);
  } finally {
    session.disconnect();
  }
}

async function interrupt(session: Session): Promise<Holder | null> {
  const paused = new Promise<string | undefined>((resolve) => {
    session.once('Debugger.paused', ({ params }) => resolve(params.callFrames[0]?.callFrameId));
  });
  await session.post('Debugger.enable');
  await session.post('Debugger.pause');
  const callFrameId = await paused;
  if (callFrameId === undefined) return null;
  try {
    const { result } = await session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression, returnByValue: true });
    return typeof result.value === 'string' ? holderOf(result.value) : null;
  } finally {
    await session.post('Debugger.resume');
    await session.post('Debugger.disable');
  }
}

function holderOf(text: string): Holder {
  const { stack, ...known } = JSON.parse(text) as Omit<Holder, 'place'> & { readonly stack: string };
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('node:') && !line.includes('eval at'));
  const place = /\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?$/.exec(frames.find((line) => !line.includes('<anonymous>:')) ?? '')?.[1] ?? null;
  return { ...known, place };
}
