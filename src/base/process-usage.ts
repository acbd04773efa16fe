/** Linux figures on what a process has used. */
import { readFileSync } from 'node:fs';

/** Peak resident memory of a process since it began to execute its program, bytes; null if unknown. */
export function peakMemoryOf(pid: number | 'self'): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

/** A Linux clock tick, its unit of CPU time. */
const tickMs = 10;

/** CPU time of a process, ms; null if unknown. */
export function cpuOf(pid: number): number | null {
  try {
    // The program name, in brackets, may contain anything.
    const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return user === undefined || system === undefined || Number.isNaN(user + system) ? null : (user + system) * tickMs;
  } catch {
    return null;
  }
}
