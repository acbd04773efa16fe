/** What Linux says of the memory of a process. */
import { readFileSync } from 'node:fs';

/** Most resident memory that a process has had, bytes; null where that is not known. */
export function peakMemoryOf(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
