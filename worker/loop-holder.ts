/** Finds what holds the event loop of the process, from another thread: the debugger interrupts even a loop that never ends. */
import { Session } from 'node:inspector/promises';
import { systemClock } from '../src/base/clock.ts';

/** The code that holds the event loop. */
export interface Holder {
  /** Of the run, or of the spread task run. */
  readonly id: string;
  readonly runId: string;
  readonly flow: string;
  readonly task: string | null;
  /** File, line and column, as far as they are known. */
  readonly place: string | null;
}

/** How long the interrupt may take; a call of the system that blocks takes none. */
const patienceMs = 2_000;

/** Read where the loop was interrupted: the scope is that of the code that runs, and its stack is told by source maps. See `currentScope`. */
export const expression = `(() => {
  const found = globalThis[Symbol.for('batuta.runScope')]?.getStore();
  const scope = found && 'around' in found ? found.around : found;
  if (!scope) return null;
  const id = scope.active?.isSpread ? scope.taskRunId : scope.runId;
  return JSON.stringify({ id, runId: scope.runId, flow: scope.flow, task: scope.task, stack: String(new Error('held').stack) });
})()`;

/** Null when it cannot be told, or is none of a run. The interrupted code goes on. */
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
