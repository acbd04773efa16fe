/** Contract of a guest: a thread or a process that executes tasks, one at a time. */
import type { FromGuest, ToGuest } from '../../model/isolate-protocol.ts';
import type { TaskUsage } from '../../model/task-usage.ts';

/** Where a task may be executed outside the engine. */
export type GuestKind = 'thread' | 'process';

/** How a guest has ended. */
export interface GuestEnd {
  /** It was ended because it exceeded its memory limit. */
  readonly isOutOfMemory: boolean;
  /** Highest known memory usage, bytes; null if unknown. */
  readonly peakBytes: number | null;
  /** `by exit code 3`, `by SIGKILL`, or the uncaught error. */
  readonly how: string;
  /** The uncaught error, else undefined. */
  readonly error: unknown;
}

/** A line that a process printed without `console`. */
export interface PrintedLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface GuestListener {
  hear(message: FromGuest): void;
  print(line: PrintedLine): void;
}

/** Starts when created. */
export interface Guest {
  readonly kind: GuestKind;
  /** Receives its messages; null while it is idle. */
  listener: GuestListener | null;
  /** Resolves once it has ended, all messages handled. */
  readonly ended: Promise<GuestEnd>;
  /** Whether it is ending or has ended, so that it takes no more tasks. */
  readonly isEnding: boolean;
  /** @param moved buffers to transfer, which are empty here afterwards; a process gets copies. @throws what cannot be cloned */
  send(message: ToGuest, moved?: readonly ArrayBuffer[]): void;
  /** Marks the beginning of a task, for `usage`. */
  begin(): void;
  /** What its task has used so far, as seen from here; null if unknown. */
  usage(): TaskUsage | null;
  /** Whether it keeps this process alive. */
  hold(isHeld: boolean): void;
  /** Lets it close what it has open, and ends it if that takes too long. */
  close(): Promise<GuestEnd>;
  /** Ends it in any case. */
  end(): void;
}
