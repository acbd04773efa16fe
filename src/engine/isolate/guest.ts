/** Contract of a guest: a thread or a process that executes tasks, one at a time. */
import type { FromGuest, ToGuest } from '../../model/isolate-protocol.ts';
import type { TaskUsage } from '../../model/task-usage.ts';

/** Where a task may be executed apart from the engine. */
export type GuestKind = 'thread' | 'process';

/** How a guest has ended. */
export interface GuestEnd {
  /** It was ended because it used more memory than it may. */
  readonly isOutOfMemory: boolean;
  /** Most memory that is known of, bytes; null when unknown. */
  readonly peakBytes: number | null;
  /** `by exit code 3`, `by SIGKILL`, or what was thrown past all code. */
  readonly how: string;
  /** What was thrown past all code, else undefined. */
  readonly error: unknown;
}

/** A line that a process has printed past `console`. */
export interface PrintedLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface GuestListener {
  hear(message: FromGuest): void;
  print(line: PrintedLine): void;
}

/** Starts as it is made. */
export interface Guest {
  readonly kind: GuestKind;
  /** Where to say what it sends; null while it has nothing to do. */
  listener: GuestListener | null;
  /** Resolves when it has ended, all it had to say heard. */
  readonly ended: Promise<GuestEnd>;
  /** Whether it is ending or has ended, so that it takes no task any more. */
  readonly isEnding: boolean;
  /** @param moved buffers that go over and are empty here afterwards; a process is sent copies. @throws what cannot be cloned */
  send(message: ToGuest, moved?: readonly ArrayBuffer[]): void;
  /** Marks the beginning of a task, for `usage`. */
  begin(): void;
  /** What its task has used so far, as it is seen from here; null when unknown. */
  usage(): TaskUsage | null;
  /** Whether it keeps this process alive. */
  hold(isHeld: boolean): void;
  /** Lets it close what it has open, and ends it if that takes too long. */
  close(): Promise<GuestEnd>;
  /** Ends it, whatever it does. */
  end(): void;
}
