/** Starts a process that executes one run or spread task alone, and reports how it ended. */
import { fork } from 'node:child_process';
import { builtFile } from '../src/base/installed.ts';
import type { AloneNews, AloneOrder, AloneRequest } from './alone-protocol.ts';

/** How a process that executed something alone has ended. */
export interface AloneEnd {
  /** Its id as an owner; null if it ended before it could own anything. */
  readonly owner: string | null;
  /** Why it was lost, as a sentence; null if it ended properly. */
  readonly lost: string | null;
  /** Whether it executed something; else another had it. */
  readonly isExecuted: boolean;
}

export interface AloneProcess {
  readonly ended: Promise<AloneEnd>;
  /** Has it hand back what has not ended after that time. */
  stop(deadlineMs: number): void;
}

/** What V8 and Node.js print last when memory runs out. */
const outOfMemory = /heap out of memory|Array buffer allocation failed|allocation failure/i;
const tailChars = 8_000;

/** @param onOwner gets its owner id, before it claims anything */
export function startAlone(order: AloneOrder, onOwner: (owner: string) => void): AloneProcess {
  const child = fork(builtFile('worker/alone.js'), [], { cwd: order.cwd, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  const send = (request: AloneRequest): void => void (child.connected && child.send(request, () => undefined));
  let owner: string | null = null;
  let seen: string | null = null;
  let done: { readonly isExecuted: boolean } | null = null;
  let tail = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    tail = `${tail}${chunk.toString('latin1')}`.slice(-tailChars);
  });
  child.on('message', (news: AloneNews) => {
    if ('owner' in news) onOwner((owner = news.owner));
    else if ('seen' in news) seen = news.seen;
    else done = news;
  });
  const ended = new Promise<AloneEnd>((resolve) => {
    child.once('error', (error) => resolve({ owner, lost: `it could not be started: ${error.message}`, isExecuted: false }));
    // After `exit`, so that its output is complete.
    child.once('close', (status, signal) =>
      resolve({
        owner,
        lost: done ? null : (seen ?? wordsFor(status, signal, outOfMemory.test(tail))),
        isExecuted: done?.isExecuted ?? true,
      }),
    );
  });
  send({ order });
  return { ended, stop: (deadlineMs) => send({ stopMs: deadlineMs }) };
}

function wordsFor(status: number | null, signal: NodeJS.Signals | null, isOutOfMemory: boolean): string {
  const how = signal === null ? `it ended with status ${status ?? 'unknown'}` : `it was ended by ${signal}`;
  return isOutOfMemory ? `it ran out of memory (${how})` : how;
}
