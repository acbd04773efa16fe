/** What Linux says of what a process has used. */
import { readFileSync } from 'node:fs';

/** Most resident memory that a process has had since it began to execute its program, bytes; null where that is not known. */
export function peakMemoryOf(pid: number | 'self'): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

/** A tick of the clock of Linux, in which it counts CPU time. */
const tickMs = 10;

/** CPU time of a process, ms; null where that is not known. */
export function cpuOf(pid: number): number | null {
  try {
    // The name of the program, in brackets, may hold anything.
    const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return user === undefined || system === undefined || Number.isNaN(user + system) ? null : (user + system) * tickMs;
  } catch {
    return null;
  }
}
