/** The channel between a guest and its engine: a thread's port, or a process's IPC. */
import { isMainThread, parentPort, type Transferable } from 'node:worker_threads';
import type { FromGuest, ToGuest } from '../model/isolate-protocol.ts';

export interface GuestPort {
  /** Messages arrive in order. @throws if something cannot be cloned */
  send(message: FromGuest, moved?: readonly ArrayBuffer[]): void;
  listen(hear: (message: ToGuest) => void): void;
  /** Ends this thread or process; earlier messages have arrived, since the engine requested the end. */
  end(): void;
}

/** The channel of this guest. */
export function guestPort(): GuestPort {
  return isMainThread ? processPort() : threadPort();
}

function threadPort(): GuestPort {
  const port = parentPort;
  if (port === null) throw new Error('This file is started by Batuta, in a thread or a process.');
  return {
    send: (message, moved = []) => port.postMessage(message, moved as readonly Transferable[] as Transferable[]),
    listen: (hear) => void port.on('message', hear),
    // Even if timers or sockets of a task remain.
    end: () => process.exit(0),
  };
}

function processPort(): GuestPort {
  return {
    send: (message) => void process.send?.(message),
    listen: (hear) => void process.on('message', hear),
    end: () => process.exit(0),
  };
}
